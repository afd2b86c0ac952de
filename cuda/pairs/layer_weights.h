// A layer's options, from the op's.
#pragma once

#include "pairs/layer_state.h"

namespace lpdm::cuda {

// target_dim: the width of the rows whose distances T is made of.
LayerOptions layer_options(const LocalLoss& op, const LocalLossLayer& layer,
                           std::int64_t target_dim);

// The arithmetic that outputs of an activation can be rounded for: fixed point and halves need them
// in [−1, 1].
Arithmetic output_arithmetic(Arithmetic wanted, Activation activation);

// The arithmetic for a layer's distances: the wanted one where it can stand for them, else float32.
// Fixed point and halves need outputs in [−1, 1] and metric l1.
Arithmetic layer_arithmetic(Arithmetic wanted, const LocalLoss& op, const LocalLossLayer& layer);

}  // namespace lpdm::cuda
