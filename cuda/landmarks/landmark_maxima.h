// Between the passes over few landmarks: which pairs are at the maximum, the loss, and what the
// gradient needs.
#pragma once

#include "common/context.h"
#include "landmarks/landmark_pairs.h"
#include "landmarks/landmark_target.h"
#include "pairs/pair_sums.h"

namespace lpdm::cuda {

// Looks again at the blocks that may hold pairs near the maximum (all of them where the sums of
// pass 1 cancel), completes *state and writes the layer's statistics. distances: of pass 1.
void settle_landmark_maxima(Context& context, const LandmarkPairs& pairs,
                            const LandmarkTarget& target, const float* distances,
                            const LocalLossLayer& layer, const LayerOptions& options,
                            const PairScratch& scratch, LayerState* state);

}  // namespace lpdm::cuda
