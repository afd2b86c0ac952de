#include "common/launch.h"
#include "pairs/dispatch.cuh"
#include "pairs/finish_layer.cuh"
#include "pairs/settle_maxima.h"
#include "pairs/stored_pairs.cuh"

namespace lpdm::cuda {

namespace {

// Each unordered pair once.
__device__ bool is_first_of_pair(const PairDomain& domain, std::int64_t row, std::int64_t column) {
  if (domain.square) return column > row;
  const std::int32_t place = domain.landmark[column];
  return place < 0 || place > row;
}

// Lists the tile's pairs from `least` on and returns how many of them are at the maximum. Few
// entries are so near: which ones is asked of the registers, the rest is not unrolled.
__device__ int list_near(const PairDomain& domain, const TileBounds& bounds,
                         const EntryMasks& masks, const Fragment& distances, float least,
                         float maximum, LayerState& state) {
  std::uint64_t near = 0, exact = 0;
#pragma unroll
  for (int r = 0; r < kOwn; ++r) {
#pragma unroll
    for (int c = 0; c < kOwn; ++c) {
      if (distances[r][c] >= least) near |= EntryMasks::bit(r, c);
      if (distances[r][c] == maximum) exact |= EntryMasks::bit(r, c);
    }
  }
  const TilePlace place;
  int at_maximum = 0;
#pragma unroll 1
  for (near &= masks.pair; near != 0; near &= near - 1) {
    const int entry = __ffsll(static_cast<long long>(near)) - 1;
    const std::int64_t row = bounds.first_row + place.row(entry / kOwn);
    const std::int64_t column = bounds.first_column + place.column(entry % kOwn);
    if (!is_first_of_pair(domain, row, column)) continue;
    if ((exact & EntryMasks::bit(entry / kOwn, entry % kOwn)) != 0) ++at_maximum;
    note_near(batch_row(domain.rows, row), batch_row(domain.columns, column), state);
  }
  return at_maximum;
}

__device__ ErrorSums sum_errors(const PairDomain& domain, const TileBounds& bounds,
                                const EntryMasks& masks, const ErrorWeights& weights,
                                const Fragment& target, const Fragment& distances) {
  const EntryCounts counts = entry_counts(domain, bounds, masks);
  float squared = 0.0F, distance = 0.0F;
#pragma unroll
  for (int r = 0; r < kOwn; ++r) {
#pragma unroll
    for (int c = 0; c < kOwn; ++c) {
      const int count = counts.of(EntryMasks::bit(r, c));
      if (count == 0) continue;
      const float error =
          __fmaf_rn(-weights.distance, distances[r][c], __fmul_rn(weights.target, target[r][c]));
      const float weighted = static_cast<float>(count) * error;
      squared = __fmaf_rn(weighted, error, squared);
      distance = __fmaf_rn(weighted, distances[r][c], distance);
    }
  }
  return {squared, distance};
}

template <class InputArithmetic, class LayerArithmetic, bool kChain>
__global__ void __launch_bounds__(kTileThreads, kChain ? 1 : kTileBlocks)
    settle_maxima_kernel(PairDomain domain, TargetView view, LayerView layer, LayerOptions options,
                         PairScratch scratch, const float* output, std::int64_t out,
                         LayerState* state, LocalLossStatistics* statistics) {
  __shared__ DistanceStages stages;
  TileWalk walk(domain, true);
  if (!walk.has_rows()) return;
  const float maximum = maximum_of(*state);
  const float least = near_maximum<LayerArithmetic>(maximum, out);
  const std::int64_t block = static_cast<std::int64_t>(blockIdx.x) * gridDim.y + blockIdx.y;
  const bool may_list = options.gradient && options.through_maximum && maximum > 0.0F &&
                        scratch.maxima[block] >= least;
  ErrorSums errors;
  std::int64_t at_maximum = 0;
  if (may_list || state->sum_errors) {
    walk.for_tiles([&](const TileBounds& bounds) {
      Fragment target, distances;
      EntryMasks masks;
      form_pairs<kChain, InputArithmetic, LayerArithmetic>(domain, view, layer, bounds, stages,
                                                           target, distances, masks);
      if (may_list) {
        at_maximum += list_near(domain, bounds, masks, distances, least, maximum, *state);
      }
      if (state->sum_errors) {
        errors = errors + sum_errors(domain, bounds, masks, state->weights, target, distances);
      }
    });
  }
  count_at_maximum(at_maximum, *state);
  const ErrorSums total = tile_block_sum(errors);
  if (threadIdx.x == 0) scratch.errors[block] = total;
  const unsigned blocks = walk.active_blocks();
  if (!is_last_block(&state->settle_blocks_done, blocks)) return;
  if (state->sum_errors) {
    ErrorSums all;
    for (unsigned b = threadIdx.x; b < blocks; b += kTileThreads) all = all + scratch.errors[b];
    all = tile_block_sum(all);
    if (threadIdx.x == 0) state->errors = all;
    __syncthreads();
  }
  finish_layer(options, output, out, *state, statistics);
}

}  // namespace

void settle_maxima(Context& context, const TileGrid& grid, const PairDomain& domain,
                   const TargetView& target, const LayerView& layer, const LayerOptions& options,
                   const PairScratch& scratch, const float* output, std::int64_t out,
                   LayerState* state, LocalLossStatistics* statistics) {
  dispatch_arithmetic(
      options.metric, layer.arithmetic, target.links > 0,
      [&](auto input, auto of_layer, auto chain) {
        launch(settle_maxima_kernel<typename decltype(input)::type,
                                    typename decltype(of_layer)::type, decltype(chain)::value>,
               {.grid = grid.grid(), .block = dim3(kTileThreads)}, context.stream, domain, target,
               layer, options, scratch, output, out, state, statistics);
      });
}

}  // namespace lpdm::cuda
