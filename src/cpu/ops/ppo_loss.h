// The clipped objective of PPO and its gradient at the policy head's output.
#pragma once

#include "cpu/common/context.h"
#include "lpdm/rl_ops.h"

namespace lpdm::cpu {

void ppo_categorical_loss(Context& context, const PpoCategoricalLoss& op);
void ppo_gaussian_loss(Context& context, const PpoGaussianLoss& op);

}  // namespace lpdm::cpu
