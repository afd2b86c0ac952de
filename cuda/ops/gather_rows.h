// Rows by index.
#pragma once

#include "common/context.h"
#include "lpdm/ops.h"

namespace lpdm::cuda {

void gather_rows(Context& context, const GatherRows& op);

}  // namespace lpdm::cuda
