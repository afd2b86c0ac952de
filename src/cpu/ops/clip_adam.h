// Gradient-norm clipping and Adam over one parameter group.
#pragma once

#include "cpu/common/context.h"
#include "lpdm/ops.h"

namespace lpdm::cpu {

// What one Adam step multiplies with; the same for a whole group. The complements 1 − β are rounded
// from float64: in float32 1 − .999 would be wrong in the fifth digit.
struct AdamFactors {
  float gradient_scale;     // of the clip
  float first_decay;        // β₁
  float first_rest;         // 1 − β₁
  float second_decay;       // β₂
  float second_rest;        // 1 − β₂
  float step_size;          // rate / (1 − β₁ᵗ)
  float second_correction;  // 1 / √(1 − β₂ᵗ)
  float epsilon;
};

void clip_adam(Context& context, const ClipAdam& op);

}  // namespace lpdm::cpu
