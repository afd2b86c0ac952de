// How large and how saturated a layer's outputs are.
#pragma once

#include "common/context.h"
#include "lpdm/ops.h"

namespace lpdm::cuda {

void activation_statistics(Context& context, const ActivationStatistics& op);

}  // namespace lpdm::cuda
