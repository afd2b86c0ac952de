// The squared error of the value head.
#pragma once

#include "common/context.h"
#include "lpdm/ops.h"

namespace lpdm::cuda {

void value_loss(Context& context, const ValueLoss& op);

}  // namespace lpdm::cuda
