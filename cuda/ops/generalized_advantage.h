// Generalised advantage estimation, a scan for each environment.
#pragma once

#include "common/context.h"
#include "lpdm/ops.h"

namespace lpdm::cuda {

void generalized_advantage(Context& context, const GeneralizedAdvantage& op);

}  // namespace lpdm::cuda
