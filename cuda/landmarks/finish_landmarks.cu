#include "common/launch.h"
#include "common/rows.h"
#include "landmarks/finish_landmarks.h"
#include "pairs/listed_maxima.cuh"

namespace lpdm::cuda {

namespace {

constexpr unsigned kListBlocks = 8;  // that go through the listed pairs

// ∂L/∂y of landmark m but for the listed pairs: Σ_i c_im · sign(y_m − y_i) or, for l2, with the
// difference. Added up in float64: there are parts enough for float32 to notice.
__device__ float landmark_end(const LandmarkPairs& pairs, const LandmarkEnds& ends, Metric metric,
                              std::int64_t out, int m, std::int64_t d) {
  double sum = 0.0, coefficients = 0.0;
  for (int part = 0; part < ends.parts; ++part) {
    const std::int64_t at = std::int64_t{part} * pairs.landmark_capacity + m;
    sum += ends.sums[at * out + d];
    coefficients += ends.coefficient_sums[at];
  }
  return static_cast<float>(metric == Metric::kL1 ? 0.5 * coefficients - sum : -sum);
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

// A block for each landmark, then kListBlocks.
__global__ void finish_landmarks_kernel(LandmarkPairs pairs, LocalLossLayer layer, Metric metric,
                                        const LayerState* state, LandmarkEnds ends) {
  const auto block = static_cast<int>(blockIdx.x);
  const auto add_listed = [&](std::int64_t row, std::int64_t d, float gradient) {
    gradient += listed_maxima(*state, metric, layer.output, layer.out, row, d);
    return gradient * delta_slope(layer, layer.output[row * layer.out + d]);
  };
  if (block < pairs.landmark_capacity) {
    if (block >= *pairs.landmark_count) return;
    const std::int64_t row = pairs.landmarks[block];
    for (std::int64_t d = threadIdx.x; d < layer.out; d += kBlockThreads) {
      layer.delta[row * layer.out + d] =
          add_listed(row, d, landmark_end(pairs, ends, metric, layer.out, block, d));
    }
    return;
  }
  for (int k = block - pairs.landmark_capacity; k < state->listed_count; k += kListBlocks) {
    const std::int64_t row = listed_row(pairs, *state, k);
    for (std::int64_t d = threadIdx.x; row >= 0 && d < layer.out; d += kBlockThreads) {
      layer.delta[row * layer.out + d] += add_listed(row, d, 0.0F);
    }
  }
}

}  // namespace

void finish_landmarks(Context& context, const LandmarkPairs& pairs, const LocalLossLayer& layer,
                      Metric metric, const LayerState* state, const LandmarkEnds& ends) {
  launch(finish_landmarks_kernel,
         {.grid = dim3(static_cast<unsigned>(pairs.landmark_capacity) + kListBlocks),
          .block = dim3(kBlockThreads)},
         context.stream, pairs, layer, metric, state, ends);
}

}  // namespace lpdm::cuda
