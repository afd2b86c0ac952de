// The end of a layer's sums: its statistics, the factors of its gradient, who shares the maximum's.
#pragma once

#include <cuda_runtime.h>

#include "pairs/maxima_list.cuh"

namespace lpdm::cuda {

__device__ inline LocalLossStatistics loss_statistics(const LayerState& state, LossNorm norm) {
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
__device__ inline void finish_layer(const LayerOptions& options, const float* output,
                                    std::int64_t out, LayerState& state,
                                    LocalLossStatistics* statistics) {
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
  const double pairs =
      all_listed ? static_cast<double>(state.listed_count) : static_cast<double>(state.exact_count);
  const double share = -state.errors.distance / maximum / (2.0 * pairs);
  if (all_listed) {
    const double per_difference = options.metric == Metric::kL1 ? share : share / maximum;
    state.listed_coefficient = static_cast<float>(state.factor * per_difference);
  } else {
    state.maximum_coefficient = static_cast<float>(share);
  }
}

}  // namespace lpdm::cuda
