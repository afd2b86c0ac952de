// The listed pairs near the maximum, told apart in float64 by one block.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "pairs/layer_state.h"
#include "pairs/tile_walk.cuh"

namespace lpdm::cuda {

__device__ inline std::uint64_t pair_key(std::int64_t a, std::int64_t b) {
  return static_cast<std::uint64_t>(min(a, b)) << 32 | static_cast<std::uint64_t>(max(a, b));
}

// ∂D/∂y but for the factor of l2.
__device__ inline double exact_term(Metric metric, float a, float b) {
  const double difference = static_cast<double>(a) - static_cast<double>(b);
  return metric == Metric::kL1 ? fabs(difference) : difference * difference;
}

// Lists a pair near the maximum while there is room: many of them would else wait for each other.
__device__ inline void note_near(std::int64_t a, std::int64_t b, LayerState& state) {
  const volatile unsigned& so_far = state.near_count;
  if (so_far > kMostListed) return;
  const unsigned slot = atomicAdd(&state.near_count, 1U);
  if (slot < kMostListed) state.near[slot] = pair_key(a, b);
}

// Adds what the running thread has found.
__device__ inline void count_at_maximum(std::int64_t pairs, LayerState& state) {
  if (pairs > 0) atomicAdd(&state.exact_count, static_cast<unsigned long long>(pairs));
}

// Sorts state.near, in whatever order it was written, into state.sorted; a pair may be there twice.
__device__ inline void sort_listed(LayerState& state, int count) {
  for (int k = static_cast<int>(threadIdx.x); k < count; k += kTileThreads) {
    int rank = 0;
    for (int other = 0; other < count; ++other) {
      const bool before =
          state.near[other] < state.near[k] || (state.near[other] == state.near[k] && other < k);
      rank += before ? 1 : 0;
    }
    state.sorted[rank] = state.near[k];
  }
  __syncthreads();
}

// Fills state.listed with those of the first `count` near pairs whose distance in float64 is the
// largest.
__device__ inline void keep_largest(LayerState& state, int count, Metric metric,
                                    const float* output, std::int64_t out) {
  constexpr unsigned kAllLanes = 0xFFFFFFFFU;
  constexpr int kWarp = 32;
  sort_listed(state, count);
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  for (int k = static_cast<int>(threadIdx.x) / kWarp; k < count; k += kTileThreads / kWarp) {
    const float* first = output + static_cast<std::int64_t>(state.sorted[k] >> 32) * out;
    const float* second = output + static_cast<std::int64_t>(state.sorted[k] & 0xFFFFFFFFU) * out;
    double sum = 0.0;
    for (std::int64_t d = lane; d < out; d += kWarp) sum += exact_term(metric, first[d], second[d]);
    for (int step = kWarp / 2; step > 0; step /= 2) sum += __shfl_xor_sync(kAllLanes, sum, step);
    if (lane == 0) state.distances[k] = sum;
  }
  __syncthreads();
  if (threadIdx.x != 0) return;
  double largest = 0.0;
  for (int k = 0; k < count; ++k) largest = fmax(largest, state.distances[k]);
  int kept = 0;
  for (int k = 0; k < count; ++k) {
    const bool again = k > 0 && state.sorted[k] == state.sorted[k - 1];
    if (state.distances[k] == largest && !again) state.listed[kept++] = state.sorted[k];
  }
  state.listed_count = kept;
}

}  // namespace lpdm::cuda
