// Policy inference for a few rows: a register-blocked mat-vec on transposed weights.
#pragma once

#include "cpu/common/context.h"
#include "lpdm/ops.h"

namespace lpdm::cpu {

// `scratch` holds two rows of activations per row of input.
void infer(Context& context, Scratch<float>& scratch, const Infer& op);

}  // namespace lpdm::cpu
