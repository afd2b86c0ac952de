#include "common/launch.h"
#include "common/rows.h"
#include "landmarks/finish_landmarks.h"
#include "pairs/listed_maxima.cuh"

namespace lpdm::cuda {

namespace {

constexpr unsigned kListBlocks = 8;  // that go through the listed pairs

// The dimensions of a landmark that a block has: a lane for each, and as many groups of lanes, of
// which each adds up every kGroups-th part. Their sums are added in order.
constexpr int kLanes = 32;
constexpr int kGroups = kBlockThreads / kLanes;

// In float64: there are parts enough for float32 to notice.
struct EndSums {
  double direction = 0.0, coefficient = 0.0;

  __device__ EndSums operator+(const EndSums& other) const {
    return {direction + other.direction, coefficient + other.coefficient};
  }
};

// The running group's share of dimension d of landmark m.
__device__ EndSums add_parts(const LandmarkPairs& pairs, const LandmarkEnds& ends, std::int64_t out,
                             int m, std::int64_t d) {
  EndSums sums;
#pragma unroll 8
  for (int part = static_cast<int>(threadIdx.x) / kLanes; part < ends.parts; part += kGroups) {
    const std::int64_t at = std::int64_t{part} * pairs.landmark_capacity + m;
    sums = sums + EndSums{ends.sums[at * out + d], ends.coefficient_sums[at]};
  }
  return sums;
}

// ∂L/∂y of landmark m but for the listed pairs: Σ_i c_im · sign(y_m − y_i) or, for l2, with the
// difference. d: the lane's dimension. Group 0 gets it; all threads of the block take part.
__device__ float landmark_end(const LandmarkPairs& pairs, const LandmarkEnds& ends, Metric metric,
                              std::int64_t out, int m, std::int64_t d) {
  __shared__ EndSums of_groups[kBlockThreads];
  const auto thread = static_cast<int>(threadIdx.x);
  of_groups[thread] = d < out ? add_parts(pairs, ends, out, m, d) : EndSums{};
  __syncthreads();
  EndSums sums = of_groups[thread % kLanes];
  for (int group = 1; group < kGroups; ++group) {
    sums = sums + of_groups[group * kLanes + thread % kLanes];
  }
  return static_cast<float>(metric == Metric::kL1 ? 0.5 * sums.coefficient - sums.direction
                                                  : -sums.direction);
}

__device__ bool is_landmark(const LandmarkPairs& pairs, std::int64_t row) {
  for (int m = 0; m < *pairs.landmark_count; ++m) {
    if (pairs.landmarks[m] == row) return true;
  }
  return false;
}

__device__ bool holds(std::uint64_t key, std::int64_t row) {
  return static_cast<std::int64_t>(key >> 32) == row ||
         static_cast<std::int64_t>(key & 0xFFFFFFFFU) == row;
}

// The row of listed pair k that is no landmark, in the first pair that holds it; −1: there is none.
__device__ std::int64_t listed_row(const LandmarkPairs& pairs, const LayerState& state, int k) {
  const auto first = static_cast<std::int64_t>(state.listed[k] >> 32);
  const auto second = static_cast<std::int64_t>(state.listed[k] & 0xFFFFFFFFU);
  const std::int64_t row = is_landmark(pairs, first) ? second : first;
  if (is_landmark(pairs, row)) return -1;
  for (int before = 0; before < k; ++before) {
    if (holds(state.listed[before], row)) return -1;
  }
  return row;
}

// Blocks for each landmark, one for kLanes dimensions, then kListBlocks.
__global__ void finish_landmarks_kernel(LandmarkPairs pairs, LocalLossLayer layer, Metric metric,
                                        const LayerState* state, LandmarkEnds ends) {
  const auto add_listed = [&](std::int64_t row, std::int64_t d, float gradient) {
    gradient += listed_maxima(*state, metric, layer.output, layer.out, row, d);
    return gradient * delta_slope(layer, layer.output[row * layer.out + d]);
  };
  const auto slices = static_cast<int>(ceil_div(layer.out, kLanes));
  const auto list_block = static_cast<int>(blockIdx.x) - slices * pairs.landmark_capacity;
  if (list_block < 0) {
    const int m = static_cast<int>(blockIdx.x) / slices;
    if (m >= *pairs.landmark_count) return;
    const std::int64_t row = pairs.landmarks[m];
    const std::int64_t d = static_cast<int>(blockIdx.x) % slices * kLanes + threadIdx.x % kLanes;
    const float end = landmark_end(pairs, ends, metric, layer.out, m, d);
    if (threadIdx.x < kLanes && d < layer.out) {
      layer.delta[row * layer.out + d] = add_listed(row, d, end);
    }
    return;
  }
  for (int k = list_block; k < state->listed_count; k += kListBlocks) {
    const std::int64_t row = listed_row(pairs, *state, k);
    for (std::int64_t d = threadIdx.x; row >= 0 && d < layer.out; d += kBlockThreads) {
      layer.delta[row * layer.out + d] += add_listed(row, d, 0.0F);
    }
  }
}

}  // namespace

void finish_landmarks(Context& context, const LandmarkPairs& pairs, const LocalLossLayer& layer,
                      Metric metric, const LayerState* state, const LandmarkEnds& ends) {
  const std::int64_t blocks = pairs.landmark_capacity * ceil_div(layer.out, kLanes) + kListBlocks;
  launch(finish_landmarks_kernel,
         {.grid = dim3(static_cast<unsigned>(blocks)), .block = dim3(kBlockThreads)},
         context.stream, pairs, layer, metric, state, ends);
}

}  // namespace lpdm::cuda
