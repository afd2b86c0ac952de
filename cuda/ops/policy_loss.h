// The policy-gradient losses.
#pragma once

#include "common/context.h"
#include "lpdm/ops.h"

namespace lpdm::cuda {

void categorical_loss(Context& context, const CategoricalLoss& op);
void gaussian_loss(Context& context, const GaussianLoss& op);

}  // namespace lpdm::cuda
