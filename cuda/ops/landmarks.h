// Draws the rows whose pairs are kept: the same ones as the CPU.
#pragma once

#include "common/context.h"
#include "lpdm/ops.h"

namespace lpdm::cuda {

void draw_landmarks(Context& context, const DrawLandmarks& op);

}  // namespace lpdm::cuda
