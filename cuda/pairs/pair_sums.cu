#include "common/launch.h"
#include "pairs/dispatch.cuh"
#include "pairs/pair_sums.h"
#include "pairs/stored_pairs.cuh"

namespace lpdm::cuda {

namespace {

// Sums over one tile of one thread, in float32: 64 pairs.
struct TileSums {
  float target = 0.0F, target_squared = 0.0F;
  float distance = 0.0F, distance_squared = 0.0F, target_distance = 0.0F;

  __device__ void add(float t, float d) {
    target += t;
    target_squared = __fmaf_rn(t, t, target_squared);
    distance += d;
    distance_squared = __fmaf_rn(d, d, distance_squared);
    target_distance = __fmaf_rn(t, d, target_distance);
  }
  __device__ void add(float weight, float t, float d) {
    const float weighted_t = weight * t;
    const float weighted_d = weight * d;
    target += weighted_t;
    target_squared = __fmaf_rn(weighted_t, t, target_squared);
    distance += weighted_d;
    distance_squared = __fmaf_rn(weighted_d, d, distance_squared);
    target_distance = __fmaf_rn(weighted_t, d, target_distance);
  }
  __device__ PairSums times(double factor, double entries) const {
    return {factor * target,           factor * target_squared,  factor * distance,
            factor * distance_squared, factor * target_distance, entries};
  }
};

// All entries count, each for itself and its mirror image.
__device__ PairSums sum_plain_tile(const Fragment& target, const Fragment& distances,
                                   float& largest) {
  TileSums sums;
#pragma unroll
  for (int r = 0; r < kOwn; ++r) {
#pragma unroll
    for (int c = 0; c < kOwn; ++c) {
      sums.add(target[r][c], distances[r][c]);
      largest = fmaxf(largest, distances[r][c]);
    }
  }
  return sums.times(2.0, 2.0 * kOwn * kOwn);
}

__device__ PairSums sum_masked_tile(const PairDomain& domain, const TileBounds& bounds,
                                    const EntryMasks& masks, const Fragment& target,
                                    const Fragment& distances, float& largest) {
  const EntryCounts counts = entry_counts(domain, bounds, masks);
  TileSums sums;
#pragma unroll
  for (int r = 0; r < kOwn; ++r) {
#pragma unroll
    for (int c = 0; c < kOwn; ++c) {
      const std::uint64_t bit = EntryMasks::bit(r, c);
      if ((masks.pair & bit) == 0) continue;
      largest = fmaxf(largest, distances[r][c]);
      sums.add(static_cast<float>(counts.of(bit)), target[r][c], distances[r][c]);
    }
  }
  return sums.times(1.0, __popcll(counts.once) + 2 * __popcll(counts.twice));
}

template <class InputArithmetic, class LayerArithmetic, bool kChain>
__global__ void __launch_bounds__(kTileThreads, kChain ? 1 : kTileBlocks)
    sum_pairs_kernel(PairDomain domain, TargetView view, LayerView layer, LayerOptions options,
                     PairScratch scratch, LayerState* state) {
  __shared__ DistanceStages stages;
  TileWalk walk(domain, true);
  if (!walk.has_rows()) return;
  PairSums sums;
  float largest = 0.0F;
  walk.for_tiles([&](const TileBounds& bounds) {
    Fragment target, distances;
    EntryMasks masks;
    target_tile<kChain, InputArithmetic>(domain, view, bounds, TargetStep::kTarget, stages, target,
                                         masks);
    distance_tile<LayerArithmetic>(layer.rows, bounds.first_row, layer.columns, bounds.first_column,
                                   stages, distances);
    if (layer.stored.target != nullptr) {
      store_pairs(layer.stored, layer.mirrored, bounds, target, distances);
    }
    const bool plain =
        domain.square && above_diagonal(bounds) && all_entries_are_kept(domain, bounds);
    sums = sums + (plain ? sum_plain_tile(target, distances, largest)
                         : sum_masked_tile(domain, bounds, masks, target, distances, largest));
  });
  const std::int64_t block = static_cast<std::int64_t>(blockIdx.x) * gridDim.y + blockIdx.y;
  const PairSums total = tile_block_sum(sums);
  largest = tile_block_max(largest);
  if (threadIdx.x == 0) {
    scratch.sums[block] = total;
    scratch.maxima[block] = largest;
    atomicMax(&state->maximum_bits, __float_as_uint(largest));
  }
  const unsigned blocks = walk.active_blocks();
  if (!is_last_block(&state->sum_blocks_done, blocks)) return;
  PairSums all;
  for (unsigned b = threadIdx.x; b < blocks; b += kTileThreads) all = all + scratch.sums[b];
  all = tile_block_sum(all);
  if (threadIdx.x != 0) return;
  state->sums = all;
  derive_error_sums(options, *state);
}

}  // namespace

PairScratch make_pair_scratch(Context& context, const TileGrid& grid) {
  return {.sums = context.scratch<PairSums>(grid.blocks()),
          .errors = context.scratch<ErrorSums>(grid.blocks()),
          .maxima = context.scratch<float>(grid.blocks())};
}

void sum_pairs(Context& context, const TileGrid& grid, const PairDomain& domain,
               const TargetView& target, const LayerView& layer, const LayerOptions& options,
               const PairScratch& scratch, LayerState* state) {
  dispatch_arithmetic(
      options.metric, layer.arithmetic, target.links > 0,
      [&](auto input, auto of_layer, auto chain) {
        launch(sum_pairs_kernel<typename decltype(input)::type, typename decltype(of_layer)::type,
                                decltype(chain)::value>,
               {.grid = grid.grid(), .block = dim3(kTileThreads)}, context.stream, domain, target,
               layer, options, scratch, state);
      });
}

}  // namespace lpdm::cuda
