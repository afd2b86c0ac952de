// Draws the rows whose pairs are kept.
#pragma once

#include "cpu/common/context.h"
#include "lpdm/ops.h"

namespace lpdm::cpu {

void draw_landmarks(Context& context, const DrawLandmarks& op);

}  // namespace lpdm::cpu
