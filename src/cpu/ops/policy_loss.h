// The policy-gradient loss −mean(log π(a|s) · weight) and its gradient at the head's output.
#pragma once

#include "cpu/common/context.h"
#include "lpdm/ops.h"

namespace lpdm::cpu {

void categorical_loss(Context& context, const CategoricalLoss& op);
void gaussian_loss(Context& context, const GaussianLoss& op);

}  // namespace lpdm::cpu
