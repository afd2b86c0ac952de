// Adam after clipping a group's gradient.
#pragma once

#include "common/context.h"
#include "lpdm/ops.h"

namespace lpdm::cuda {

void clip_adam(Context& context, const ClipAdam& op);

}  // namespace lpdm::cuda
