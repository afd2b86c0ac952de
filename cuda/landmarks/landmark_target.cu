#include "common/launch.h"
#include "landmarks/landmark_distances.cuh"
#include "landmarks/landmark_target.h"
#include "pairs/largest_use.cuh"
#include "pairs/tile_walk.cuh"

namespace lpdm::cuda {

namespace {

// The largest D, or with `shifted` the largest D · input_scale + g_i + g_j.
template <class Arithmetic, int kGroups>
__global__ void __launch_bounds__(kTileThreads, kLandmarkBlocks)
    largest_kernel(LandmarkPairs pairs, RowQuads input, bool shifted, LargestResult result,
                   LargestState* state) {
  using Shape = LandmarkShape<kGroups>;
  auto& stages = *dynamic_shared<typename Shape::Stages>();
  const std::int64_t rows = *pairs.row_count;
  const std::int64_t first_row = static_cast<std::int64_t>(blockIdx.x) * Shape::kRows;
  if (first_row >= rows) return;
  Fragment distances;
  landmark_distances<Arithmetic, kGroups, kOwn>(pairs, input, first_row, stages, distances);
  const LandmarkPlace<kGroups> place;
  const auto landmarks = static_cast<int>(*pairs.landmark_count);
  const TargetScales scales = shifted ? undivided(*result.scales) : TargetScales{};
  float shifts[kOwn];
  own_shifts(pairs, first_row, place, shifts);
  float largest = 0.0F;
#pragma unroll
  for (int c = 0; c < kOwn; ++c) {
    if (place.landmark(c) >= landmarks) break;
    const float other = shifted ? shift_of_row(pairs, pairs.landmarks[place.landmark(c)]) : 0.0F;
#pragma unroll
    for (int r = 0; r < kOwn; ++r) {
      const float value = normalized(distances[r][c], scales, shifted ? shifts[r] : 0.0F, other);
      if (first_row + place.row(r) < rows) largest = fmaxf(largest, value);
    }
  }
  largest = tile_block_max(largest);
  if (threadIdx.x == 0) atomicMax(&state->bits, __float_as_uint(largest));
  const auto blocks = static_cast<unsigned>(ceil_div(rows, Shape::kRows));
  if (!is_last_block(&state->blocks_done, blocks) || threadIdx.x != 0) return;
  use_largest(result, __uint_as_float(atomicMax(&state->bits, 0U)));
}

struct TargetState {
  TargetSums sums;
  unsigned blocks_done;
};

template <class Arithmetic, int kGroups>
__global__ void __launch_bounds__(kTileThreads, kLandmarkBlocks)
    form_target_kernel(LandmarkPairs pairs, RowQuads input, const TargetScales* scales,
                       float* entries, TargetSums* partial, TargetState* state) {
  using Shape = LandmarkShape<kGroups>;
  auto& stages = *dynamic_shared<typename Shape::Stages>();
  __shared__ RowCounts counts;
  const std::int64_t rows = *pairs.row_count;
  const std::int64_t first_row = static_cast<std::int64_t>(blockIdx.x) * Shape::kRows;
  if (first_row >= rows) return;
  counts.find(pairs, first_row);
  Fragment distances;
  landmark_distances<Arithmetic, kGroups, kOwn>(pairs, input, first_row, stages, distances);
  const LandmarkPlace<kGroups> place;
  const auto landmarks = static_cast<int>(*pairs.landmark_count);
  const TargetScales normalising = *scales;
  float shifts[kOwn], weights[kOwn];
  own_shifts(pairs, first_row, place, shifts);
  own_counts(counts, place, weights);
  float sum = 0.0F, squared = 0.0F;
#pragma unroll
  for (int c = 0; c < kOwn; ++c) {
    const int m = place.landmark(c);
    if (m >= landmarks) break;
    const float other = shift_of_row(pairs, pairs.landmarks[m]);
    float* to = entries + m * pairs.stride + first_row + place.row(0);
#pragma unroll
    for (int r = 0; r < kOwn; ++r) {
      const float plain = normalized(distances[r][c], normalising, shifts[r], other);
      const float target = weights[r] > 0.0F ? plain : 0.0F;
      to[r * kRowLanes] = target;
      const float weighted = weights[r] * target;
      sum += weighted;
      squared = __fmaf_rn(weighted, target, squared);
    }
  }
  const TargetSums total = tile_block_sum(TargetSums{sum, squared});
  if (threadIdx.x == 0) partial[blockIdx.x] = total;
  const auto blocks = static_cast<unsigned>(ceil_div(rows, Shape::kRows));
  if (!is_last_block(&state->blocks_done, blocks)) return;
  TargetSums all;
  for (unsigned b = threadIdx.x; b < blocks; b += kTileThreads) all = all + partial[b];
  all = tile_block_sum(all);
  if (threadIdx.x == 0) state->sums = all;
}

}  // namespace

void find_landmark_scales(Context& context, const LandmarkPairs& pairs,
                          const PairwiseTarget& options, const RowQuads& input,
                          TargetScales* scales) {
  find_scales_by(context, options, scales, [&](TargetStep step, const LargestResult& result) {
    auto* state = context.scratch<LargestState>(1);
    check(cudaMemsetAsync(state, 0, sizeof(LargestState), context.stream), "clearing memory");
    dispatch_landmarks(options.metric, pairs.landmark_capacity, [&](auto arithmetic, auto groups) {
      constexpr int kGroups = decltype(groups)::value;
      launch(largest_kernel<typename decltype(arithmetic)::type, kGroups>,
             landmark_shape<kGroups>(pairs), context.stream, pairs, input,
             step == TargetStep::kShifted, result, state);
    });
  });
}

LandmarkTarget form_landmark_target(Context& context, const LandmarkPairs& pairs, Metric metric,
                                    const RowQuads& input, const TargetScales* scales) {
  auto* entries = context.scratch<float>(pairs.landmark_capacity * pairs.stride);
  auto* state = context.scratch<TargetState>(1);
  check(cudaMemsetAsync(state, 0, sizeof(TargetState), context.stream), "clearing memory");
  dispatch_landmarks(metric, pairs.landmark_capacity, [&](auto arithmetic, auto groups) {
    constexpr int kGroups = decltype(groups)::value;
    const LaunchShape shape = landmark_shape<kGroups>(pairs);
    launch(form_target_kernel<typename decltype(arithmetic)::type, kGroups>, shape, context.stream,
           pairs, input, scales, entries, context.scratch<TargetSums>(shape.grid.x), state);
  });
  return {entries, &state->sums};
}

}  // namespace lpdm::cuda
