// Between the passes: which pairs are at the maximum, the loss, and what the gradient needs.
#pragma once

#include "pairs/pair_sums.h"

namespace lpdm::cuda {

// Looks again at the tiles that may hold pairs near the maximum (all of them where the sums of
// pass 1 cancel), completes *state and writes the layer's statistics. output: (rows, out), batch
// rows.
void settle_maxima(Context& context, const TileGrid& grid, const PairDomain& domain,
                   const TargetView& target, const LayerView& layer, const LayerOptions& options,
                   const PairScratch& scratch, const float* output, std::int64_t out,
                   LayerState* state, LocalLossStatistics* statistics);

}  // namespace lpdm::cuda
