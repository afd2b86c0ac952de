// The CUDA backend as the program sees it: a Backend behind the table of cuda_interface.h.
#pragma once

#include <memory>

#include "core/cuda_interface.h"
#include "lpdm/backend.h"

namespace lpdm {

// The table must outlive the backend. Throws what the table's functions report.
std::unique_ptr<Backend> make_cuda_backend(const CudaInterface& table,
                                           const BackendOptions& options);

}  // namespace lpdm
