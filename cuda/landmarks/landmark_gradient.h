// Pass 2 of a layer's local loss over few landmarks: both ends of every pair.
#pragma once

#include <cstddef>

#include "common/context.h"
#include "landmarks/landmark_pairs.h"
#include "landmarks/landmark_target.h"
#include "landmarks/row_quads.h"
#include "pairs/layer_state.h"

namespace lpdm::cuda {

// The landmarks' ends of all pairs but for the activation, in parts to be added in their order, and
// where the parts of their coefficients' sums are (l1).
struct LandmarkEnds {
  float* sums = nullptr;              // (parts, M, out): Σ_i c_im · direction
  float* coefficient_sums = nullptr;  // (parts, M): Σ_i c_im
  int parts = 1;
};

// The shared memory that a block takes.
std::size_t landmark_gradient_bytes(int landmarks);

// *state is complete; distances: of pass 1; output: the layer's. Writes layer.delta for all rows,
// as if none was a landmark or at the maximum: finish_landmarks does those. Returns the landmarks'
// ends.
LandmarkEnds add_landmark_gradient(Context& context, const LandmarkPairs& pairs,
                                   const LandmarkTarget& target, const float* distances,
                                   const RowQuads& output, const LocalLossLayer& layer,
                                   const LayerOptions& options, const LayerState* state);

}  // namespace lpdm::cuda
