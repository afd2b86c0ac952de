// Returns minus values.
#pragma once

#include "common/context.h"
#include "lpdm/ops.h"

namespace lpdm::cuda {

void advantages(Context& context, const Advantages& op);

}  // namespace lpdm::cuda
