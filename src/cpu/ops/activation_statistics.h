// Mean magnitude and saturation of a layer's outputs.
#pragma once

#include "cpu/common/context.h"
#include "lpdm/ops.h"

namespace lpdm::cpu {

void activation_statistics(Context& context, const ActivationStatistics& op);

}  // namespace lpdm::cpu
