#include "common/launch.h"
#include "pairs/dispatch.cuh"
#include "pairs/maxima_list.cuh"
#include "pairs/settle_maxima.h"

namespace lpdm::cuda {

namespace {

// Each unordered pair once.
__device__ bool is_first_of_pair(const PairDomain& domain, std::int64_t row, std::int64_t column) {
  if (domain.square) return column > row;
  const std::int32_t place = domain.landmark[row];
  return place < 0 || place > column;
}

__device__ void list_near(const PairDomain& domain, const TileBounds& bounds,
                          const EntryMasks& masks, const Fragment& distances, float maximum,
                          LayerState& state) {
  const TilePlace place;
#pragma unroll
  for (int r = 0; r < kOwn; ++r) {
#pragma unroll
    for (int c = 0; c < kOwn; ++c) {
      const float distance = distances[r][c];
      if (distance < kNearMaximum * maximum || (masks.pair & EntryMasks::bit(r, c)) == 0) continue;
      const std::int64_t row = bounds.first_row + place.row(r);
      const std::int64_t column = bounds.first_column + place.column(c);
      if (!is_first_of_pair(domain, row, column)) continue;
      if (distance == maximum) atomicAdd(&state.exact_count, 1U);
      const unsigned slot = atomicAdd(&state.near_count, 1U);
      if (slot < kMostListed) {
        state.near[slot] = pair_key(batch_row(domain.rows, row), batch_row(domain.columns, column));
      }
    }
  }
}

__device__ ErrorSums sum_errors(const PairDomain& domain, const TileBounds& bounds,
                                const EntryMasks& masks, const ErrorWeights& weights,
                                const Fragment& target, const Fragment& distances) {
  const TilePlace place;
  float squared = 0.0F, distance = 0.0F;
#pragma unroll
  for (int r = 0; r < kOwn; ++r) {
#pragma unroll
    for (int c = 0; c < kOwn; ++c) {
      const int count = entries_of(domain, bounds, masks, place, r, c);
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

__device__ LocalLossStatistics loss_statistics(const LayerState& state, LossNorm norm) {
  const PairSums& sums = state.sums;
  const double maximum = maximum_of(state);
  const double n = fmax(sums.entries, 1.0);
  const double covariance = sums.target_distance - sums.target * sums.distance / n;
  const double target_variance = sums.target_squared - sums.target * sums.target / n;
  const double distance_variance = sums.distance_squared - sums.distance * sums.distance / n;
  constexpr double kConstant = 1e-12;  // relative variance that is only rounding
  const bool varied = target_variance > kConstant * sums.target_squared &&
                      distance_variance > kConstant * sums.distance_squared;
  const double correlation = varied ? covariance / sqrt(target_variance * distance_variance) : 0.0;
  return {.loss = norm == LossNorm::kSquared ? state.errors.squared : sqrt(state.errors.squared),
          .correlation = fmin(1.0, fmax(-1.0, correlation)),
          .mean_distance = ratio_or_zero(sums.distance, sums.entries * maximum),
          .max_distance = maximum};
}

// By one block: the factors of the gradient, and the pairs that share that of the maximum.
__device__ void finish_layer(const LayerOptions& options, const float* output, std::int64_t out,
                             LayerState& state, LocalLossStatistics* statistics) {
  const double maximum = maximum_of(state);
  const bool shared = options.gradient && options.through_maximum && maximum > 0.0;
  const bool all_listed = state.near_count <= kMostListed;
  if (shared && all_listed) {
    keep_largest(state, static_cast<int>(state.near_count), options.metric, output, out);
  }
  if (threadIdx.x != 0) return;
  *statistics = loss_statistics(state, options.norm);
  const double slope =
      options.norm == LossNorm::kSquared ? 2.0 : ratio_or_zero(1.0, sqrt(state.errors.squared));
  state.factor = ratio_or_zero(-2.0 * options.output_weight * slope, maximum);
  if (!shared) return;
  // In units of E: −Σ E·D̄ / K for each of the K = 2 · pairs entries at the maximum.
  const unsigned pairs = all_listed ? static_cast<unsigned>(state.listed_count) : state.exact_count;
  const double share = -state.errors.distance / maximum / (2.0 * pairs);
  if (all_listed) {
    const double per_difference = options.metric == Metric::kL1 ? share : share / maximum;
    state.listed_coefficient = static_cast<float>(state.factor * per_difference);
  } else {
    state.maximum_coefficient = static_cast<float>(share);
  }
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
  const std::int64_t block = static_cast<std::int64_t>(blockIdx.x) * gridDim.y + blockIdx.y;
  const bool may_list = options.gradient && options.through_maximum && maximum > 0.0F &&
                        scratch.maxima[block] >= kNearMaximum * maximum;
  ErrorSums errors;
  if (may_list || state->sum_errors) {
    walk.for_tiles([&](const TileBounds& bounds) {
      Fragment target, distances;
      EntryMasks masks;
      target_tile<kChain, InputArithmetic>(domain, view, bounds, TargetStep::kTarget, stages,
                                           target, masks);
      distance_tile<LayerArithmetic>(layer.rows, bounds.first_row, layer.columns,
                                     bounds.first_column, stages, distances);
      if (may_list) list_near(domain, bounds, masks, distances, maximum, *state);
      if (state->sum_errors) {
        errors = errors + sum_errors(domain, bounds, masks, state->weights, target, distances);
      }
    });
  }
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
