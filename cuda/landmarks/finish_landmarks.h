// The last step of a layer's local loss over few landmarks.
#pragma once

#include "landmarks/landmark_gradient.h"

namespace lpdm::cuda {

// Writes the landmarks' delta from their ends of all pairs, and adds to that of other rows what the
// pairs at the maximum give them.
void finish_landmarks(Context& context, const LandmarkPairs& pairs, const LocalLossLayer& layer,
                      Metric metric, const LayerState* state, const LandmarkEnds& ends);

}  // namespace lpdm::cuda
