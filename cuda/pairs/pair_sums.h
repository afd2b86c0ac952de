// Pass 1 of a layer's local loss: the sums over all pairs and the maximum of D.
#pragma once

#include "common/context.h"
#include "pairs/layer_state.h"
#include "pairs/pair_domain.h"
#include "pairs/tile_walk.cuh"

namespace lpdm::cuda {

// T and D of one layer, kept between the passes: [row side][column side], and the mirror image.
// Strides are multiples of kTileColumns, and both sides are padded to it.
struct StoredPairs {
  float* target = nullptr;  // null: nothing is kept, tiles are formed anew
  float* distance = nullptr;
  std::int64_t stride = 0;
};

// One layer's outputs as both sides of the domain see them.
struct LayerView {
  PackedRows rows, columns;
  Arithmetic arithmetic = Arithmetic::kFp32;  // of their words
  StoredPairs stored, mirrored;
};

// Scratch of passes 1 and 2, one place for each block of the grid.
struct PairScratch {
  PairSums* sums = nullptr;
  ErrorSums* errors = nullptr;
  float* maxima = nullptr;
};

PairScratch make_pair_scratch(Context& context, const TileGrid& grid);

// Leaves the sums, the maximum and the error weights in *state, which must have been zero, the
// maximum of each block in scratch.maxima, and T and D where the layer has room for them.
void sum_pairs(Context& context, const TileGrid& grid, const PairDomain& domain,
               const TargetView& target, const LayerView& layer, const LayerOptions& options,
               const PairScratch& scratch, LayerState* state);

}  // namespace lpdm::cuda
