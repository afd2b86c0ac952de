#include "common/launch.h"
#include "landmarks/block_pairs.cuh"
#include "landmarks/landmark_distances.cuh"
#include "landmarks/landmark_sums.h"
#include "pairs/tile_walk.cuh"

namespace lpdm::cuda {

namespace {

// Of one thread, over ordered entries.
struct ThreadSums {
  float target = 0.0F, target_squared = 0.0F;
  float distance = 0.0F, distance_squared = 0.0F, target_distance = 0.0F;

  __device__ void add(float weight, float t, float d) {
    const float weighted_target = weight * t, weighted = weight * d;
    target += weighted_target;
    target_squared = __fmaf_rn(weighted_target, t, target_squared);
    distance += weighted;
    distance_squared = __fmaf_rn(weighted, d, distance_squared);
    target_distance = __fmaf_rn(weighted, t, target_distance);
  }
};

// The kept entries of N rows and M landmarks.
__device__ double kept_entries(std::int64_t rows, std::int64_t landmarks) {
  const auto all = static_cast<double>(rows);
  const auto dropped = static_cast<double>(rows - landmarks);
  return all * all - dropped * dropped;
}

template <class Arithmetic, int kGroups, int kOwnRows>
__global__ void __launch_bounds__(kTileThreads, kLandmarkBlocks)
    sum_landmark_pairs_kernel(LandmarkPairs pairs, LandmarkTarget target, RowQuads output,
                              LayerOptions options, PairScratch scratch, float* kept,
                              LayerState* state) {
  using Shape = LandmarkShape<kGroups, kOwnRows>;
  auto& stages = *dynamic_shared<typename Shape::Stages>();
  __shared__ RowCounts counts;
  const std::int64_t rows = *pairs.row_count;
  const std::int64_t first_row = static_cast<std::int64_t>(blockIdx.x) * Shape::kRows;
  if (first_row >= rows) return;
  counts.find(pairs, first_row);
  LandmarkFragment<kOwnRows> distances;
  landmark_distances<Arithmetic, kGroups, kOwnRows>(pairs, output, first_row, stages, distances);
  const LandmarkPlace<kGroups, kOwnRows> place;
  float weights[kOwnRows], shifts[kOwnRows];
  own_counts(counts, place, weights);
  own_shifts(pairs, first_row, place, shifts);
  const auto landmarks = static_cast<int>(*pairs.landmark_count);
  const TargetScales scales = *target.scales;
  ThreadSums sums;
  float largest = 0.0F;
#pragma unroll
  for (int c = 0; c < kOwn; ++c) {
    const int m = place.landmark(c);
    if (m >= landmarks) break;
    const float other = shift_of_landmark(pairs, m);
    const std::int64_t at = m * pairs.stride + first_row + place.row(0);
#pragma unroll
    for (int r = 0; r < kOwnRows; ++r) {
      const float distance = distances[r][c];
      kept[at + r * kRowLanes] = distance;
      sums.add(weights[r], normalized(target.inputs[at + r * kRowLanes], scales, shifts[r], other),
               distance);
      largest = fmaxf(largest, distance);
    }
  }
  const PairSums total = tile_block_sum(PairSums{.target = sums.target,
                                                 .target_squared = sums.target_squared,
                                                 .distance = sums.distance,
                                                 .distance_squared = sums.distance_squared,
                                                 .target_distance = sums.target_distance});
  largest = tile_block_max(largest);
  if (threadIdx.x == 0) {
    scratch.sums[blockIdx.x] = total;
    scratch.maxima[blockIdx.x] = largest;
    atomicMax(&state->maximum_bits, __float_as_uint(largest));
  }
  const auto blocks = static_cast<unsigned>(ceil_div(rows, Shape::kRows));
  if (!is_last_block(&state->sum_blocks_done, blocks)) return;
  PairSums all;
  for (unsigned b = threadIdx.x; b < blocks; b += kTileThreads) all = all + scratch.sums[b];
  all = tile_block_sum(all);
  if (threadIdx.x != 0) return;
  all.entries = kept_entries(rows, *pairs.landmark_count);
  state->sums = all;
  derive_error_sums(options, *state);
}

}  // namespace

int landmark_block_rows(const LandmarkPairs& pairs) {
  int rows = 0;
  dispatch_landmarks(Metric::kL1, pairs,
                     [&](auto, auto shape) { rows = decltype(shape)::type::kRows; });
  return rows;
}

TileGrid landmark_grid(const LandmarkPairs& pairs) {
  return {ceil_div(pairs.row_capacity, landmark_block_rows(pairs)), 1};
}

void sum_landmark_pairs(Context& context, const LandmarkPairs& pairs, const LandmarkTarget& target,
                        const RowQuads& output, const LayerOptions& options,
                        const PairScratch& scratch, float* distances, LayerState* state) {
  dispatch_landmarks(options.metric, pairs, [&](auto arithmetic, auto shape) {
    using Shape = typename decltype(shape)::type;
    launch(sum_landmark_pairs_kernel<typename decltype(arithmetic)::type, Shape::kGroups,
                                     Shape::kOwnRows>,
           landmark_shape<Shape>(pairs), context.stream, pairs, target, output, options, scratch,
           distances, state);
  });
}

}  // namespace lpdm::cuda
