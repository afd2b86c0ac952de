// The ops by their codes.
#pragma once

#include "common/context.h"
#include "core/cuda_interface.h"

namespace lpdm::cuda {

struct OpEntry {
  const char* name;
  void (*run)(Context& context, const void* arguments);
};

const OpEntry& op_entry(CudaOp op);

}  // namespace lpdm::cuda
