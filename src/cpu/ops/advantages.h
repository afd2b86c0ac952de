// Advantages from returns and values; standardised if asked.
#pragma once

#include "cpu/common/context.h"
#include "lpdm/rl_ops.h"

namespace lpdm::cpu {

void advantages(Context& context, const Advantages& op);

}  // namespace lpdm::cpu
