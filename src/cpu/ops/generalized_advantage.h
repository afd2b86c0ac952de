// Generalised advantage estimation over a rollout of fixed horizon.
#pragma once

#include "cpu/common/context.h"
#include "lpdm/rl_ops.h"

namespace lpdm::cpu {

void generalized_advantage(Context& context, const GeneralizedAdvantage& op);

}  // namespace lpdm::cpu
