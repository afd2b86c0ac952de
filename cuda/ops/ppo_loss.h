// The losses of proximal policy optimisation.
#pragma once

#include "common/context.h"
#include "lpdm/ops.h"

namespace lpdm::cuda {

void ppo_categorical_loss(Context& context, const PpoCategoricalLoss& op);
void ppo_gaussian_loss(Context& context, const PpoGaussianLoss& op);

}  // namespace lpdm::cuda
