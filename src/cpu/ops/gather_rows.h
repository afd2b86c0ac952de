// Picks the rows of a mini-batch.
#pragma once

#include "cpu/common/context.h"
#include "lpdm/rl_ops.h"

namespace lpdm::cpu {

void gather_rows(Context& context, const GatherRows& op);

}  // namespace lpdm::cpu
