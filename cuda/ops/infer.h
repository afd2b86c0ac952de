// The policy's outputs for the rows of a rollout's step.
#pragma once

#include "common/context.h"
#include "lpdm/ops.h"

namespace lpdm::cuda {

void pack_inference(Context& context, const PackInference& op);
void infer(Context& context, const Infer& op);

}  // namespace lpdm::cuda
