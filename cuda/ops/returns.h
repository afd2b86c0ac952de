// Discounted returns by a scan over all rows from the last one.
#pragma once

#include "common/context.h"
#include "lpdm/ops.h"

namespace lpdm::cuda {

void discounted_returns(Context& context, const DiscountedReturns& op);

}  // namespace lpdm::cuda
