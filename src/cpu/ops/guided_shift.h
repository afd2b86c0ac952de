// The shifts g of the guided loss.
#pragma once

#include "cpu/common/context.h"
#include "lpdm/ops.h"

namespace lpdm::cpu {

void guided_shift(Context& context, const GuidedShift& op);

}  // namespace lpdm::cpu
