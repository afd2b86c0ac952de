// How far each row is pushed away from the others.
#pragma once

#include "common/context.h"
#include "lpdm/ops.h"

namespace lpdm::cuda {

void guided_shift(Context& context, const GuidedShift& op);

}  // namespace lpdm::cuda
