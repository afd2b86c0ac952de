// The local loss of all hidden layers and its gradient (LocalLoss).
//
// Per layer: the outputs packed, pass 1 (sums and maximum), the pairs at the maximum and the loss,
// pass 2 (the gradient by the blocks that own its rows), delta. O(N·D) memory. Layers are
// independent and run side by side; with error propagation one after the other.
#pragma once

#include "common/context.h"
#include "lpdm/ops.h"

namespace lpdm::cuda {

// *op.scales must hold the result of target_statistics for the same target.
void local_loss(Context& context, const LocalLoss& op);

}  // namespace lpdm::cuda
