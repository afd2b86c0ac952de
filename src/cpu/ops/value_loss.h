// The squared error of the value head, clipped if asked, and its gradient.
#pragma once

#include "cpu/common/context.h"
#include "lpdm/rl_ops.h"

namespace lpdm::cpu {

void value_loss(Context& context, const ValueLoss& op);

}  // namespace lpdm::cpu
