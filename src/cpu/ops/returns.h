// Discounted returns-to-go.
#pragma once

#include "cpu/common/context.h"
#include "lpdm/ops.h"

namespace lpdm::cpu {

void discounted_returns(Context& context, const DiscountedReturns& op);

}  // namespace lpdm::cpu
