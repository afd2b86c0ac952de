#include "common/launch.h"
#include "landmarks/block_pairs.cuh"
#include "landmarks/landmark_distances.cuh"
#include "landmarks/landmark_maxima.h"
#include "landmarks/landmark_sums.h"
#include "pairs/finish_layer.cuh"
#include "pairs/tile_walk.cuh"

namespace lpdm::cuda {

namespace {

// Returns how many pairs are at the maximum, 0 or 1. Each unordered pair once: two landmarks meet
// in the row of the later one.
__device__ int list_near(const LandmarkPairs& pairs, const RowCounts& counts,
                         std::int64_t first_row, int m, std::int64_t row, float distance,
                         LayerState& state) {
  const float maximum = maximum_of(state);
  if (distance < kNearMaximumFp32 * maximum) return 0;
  const std::int64_t landmark = pairs.landmarks[m];
  if (counts.is_landmark(static_cast<int>(row - first_row)) && landmark > row) return 0;
  note_near(landmark, row, state);
  return distance == maximum ? 1 : 0;
}

__global__ void __launch_bounds__(kTileThreads)
    settle_landmark_maxima_kernel(LandmarkPairs pairs, LandmarkTarget target,
                                  const float* distances, int block_rows, LocalLossLayer layer,
                                  LayerOptions options, PairScratch scratch, LayerState* state) {
  __shared__ RowCounts counts;
  const std::int64_t first_row = static_cast<std::int64_t>(blockIdx.x) * block_rows;
  if (first_row >= *pairs.row_count) return;
  counts.find(pairs, first_row);
  const float maximum = maximum_of(*state);
  if (options.gradient && options.through_maximum && maximum > 0.0F &&
      scratch.maxima[blockIdx.x] >= kNearMaximumFp32 * maximum) {
    std::int64_t at_maximum = 0;
    for_block_pairs(pairs, first_row, block_rows, [&](int m, std::int64_t row) {
      at_maximum +=
          list_near(pairs, counts, first_row, m, row, distances[m * pairs.stride + row], *state);
    });
    count_at_maximum(at_maximum, *state);
  }
  ErrorSums errors;
  if (state->sum_errors) {
    const ErrorWeights weights = state->weights;
    const TargetScales scales = *target.scales;
    for_block_pairs(pairs, first_row, block_rows, [&](int m, std::int64_t row) {
      const float distance = distances[m * pairs.stride + row];
      const float entry = target_entry(pairs, target.inputs, scales, m, row);
      const float error = __fmaf_rn(-weights.distance, distance, __fmul_rn(weights.target, entry));
      const double weighted =
          static_cast<double>(error) * counts.of(static_cast<int>(row - first_row));
      errors = errors + ErrorSums{weighted * error, weighted * distance};
    });
  }
  const ErrorSums total = tile_block_sum(errors);
  if (threadIdx.x == 0) scratch.errors[blockIdx.x] = total;
  const auto blocks = static_cast<unsigned>(ceil_div(*pairs.row_count, block_rows));
  if (!is_last_block(&state->settle_blocks_done, blocks)) return;
  if (state->sum_errors) {
    ErrorSums all;
    for (unsigned b = threadIdx.x; b < blocks; b += kTileThreads) all = all + scratch.errors[b];
    all = tile_block_sum(all);
    if (threadIdx.x == 0) state->errors = all;
    __syncthreads();
  }
  finish_layer(options, layer.output, layer.out, *state, layer.statistics);
}

}  // namespace

void settle_landmark_maxima(Context& context, const LandmarkPairs& pairs,
                            const LandmarkTarget& target, const float* distances,
                            const LocalLossLayer& layer, const LayerOptions& options,
                            const PairScratch& scratch, LayerState* state) {
  launch(settle_landmark_maxima_kernel,
         {.grid = landmark_grid(pairs).grid(), .block = dim3(kTileThreads)}, context.stream, pairs,
         target, distances, landmark_block_rows(pairs), layer, options, scratch, state);
}

}  // namespace lpdm::cuda
