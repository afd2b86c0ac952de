// Pass 1 of a layer's local loss over few landmarks: its distances, their sums and their maximum.
#pragma once

#include "common/context.h"
#include "landmarks/landmark_pairs.h"
#include "landmarks/landmark_target.h"
#include "landmarks/row_quads.h"
#include "pairs/layer_state.h"
#include "pairs/pair_sums.h"

namespace lpdm::cuda {

// Rows of a block.
int landmark_block_rows(const LandmarkPairs& pairs);
TileGrid landmark_grid(const LandmarkPairs& pairs);

// Writes all distances of `output`, (M, stride), zeros in rows from N on. Leaves the sums, the
// maximum and the error weights in *state, which must have been zero, and the maximum of each block
// in scratch.maxima.
void sum_landmark_pairs(Context& context, const LandmarkPairs& pairs, const LandmarkTarget& target,
                        const RowQuads& output, const LayerOptions& options,
                        const PairScratch& scratch, float* distances, LayerState* state);

}  // namespace lpdm::cuda
