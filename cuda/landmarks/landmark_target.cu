#include <utility>

#include "common/launch.h"
#include "landmarks/block_pairs.cuh"
#include "landmarks/landmark_distances.cuh"
#include "landmarks/landmark_target.h"
#include "lpdm/error.h"
#include "pairs/largest_use.cuh"
#include "pairs/tile_walk.cuh"

namespace lpdm::cuda {

namespace {

// The end of a search: `largest` of this thread, of all threads of `blocks` blocks.
__device__ void settle_largest(float largest, unsigned blocks, const LargestResult& result,
                               LargestState* state) {
  largest = tile_block_max(largest);
  if (threadIdx.x == 0) atomicMax(&state->bits, __float_as_uint(largest));
  if (!is_last_block(&state->blocks_done, blocks) || threadIdx.x != 0) return;
  use_largest(result, __uint_as_float(atomicMax(&state->bits, 0U)));
}

// Writes all D and finds the largest or, with `shifted`, the largest D · input_scale + g_i + g_j.
template <class Arithmetic, int kGroups>
__global__ void __launch_bounds__(kTileThreads, kLandmarkBlocks)
    form_distances_kernel(LandmarkPairs pairs, RowQuads input, bool shifted, float* kept,
                          LargestResult result, LargestState* state) {
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
    const int m = place.landmark(c);
    if (m >= landmarks) break;
    const float other = shifted ? shift_of_landmark(pairs, m) : 0.0F;
    float* to = kept + m * pairs.stride + first_row + place.row(0);
#pragma unroll
    for (int r = 0; r < kOwn; ++r) {
      to[r * kRowLanes] = distances[r][c];
      const float value = normalized(distances[r][c], scales, shifted ? shifts[r] : 0.0F, other);
      if (first_row + place.row(r) < rows) largest = fmaxf(largest, value);
    }
  }
  settle_largest(largest, static_cast<unsigned>(ceil_div(rows, Shape::kRows)), result, state);
}

// The largest D · input_scale + g_i + g_j of distances that stand there already. Blocks have a row
// for each thread.
__global__ void __launch_bounds__(kTileThreads)
    largest_shifted_kernel(LandmarkPairs pairs, const float* distances, LargestResult result,
                           LargestState* state) {
  const std::int64_t first_row = static_cast<std::int64_t>(blockIdx.x) * kTileThreads;
  if (first_row >= *pairs.row_count) return;
  const TargetEntries entries(pairs, distances, undivided(*result.scales));
  float largest = 0.0F;
  for_block_pairs(pairs, first_row, kTileThreads,
                  [&](int m, std::int64_t row) { largest = fmaxf(largest, entries.at(m, row)); });
  settle_largest(largest, static_cast<unsigned>(ceil_div(*pairs.row_count, kTileThreads)), result,
                 state);
}

KeptMemory::Key key_of(const LandmarkPairs& pairs, const TargetScales* scales) {
  return {.owner = scales, .rows = pairs.stride, .width = pairs.landmark_capacity};
}

}  // namespace

void form_landmark_target(Context& context, const LandmarkPairs& pairs,
                          const PairwiseTarget& options, const RowQuads& input,
                          TargetScales* scales) {
  const auto count = static_cast<std::size_t>(pairs.landmark_capacity * pairs.stride);
  auto* distances =
      static_cast<float*>(context.kept().reserve(key_of(pairs, scales), count * sizeof(float)));
  bool formed = false;
  find_scales_by(context, options, scales, [&](TargetStep step, const LargestResult& result) {
    auto* state = context.scratch<LargestState>(1);
    check(cudaMemsetAsync(state, 0, sizeof(LargestState), context.stream), "clearing memory");
    if (std::exchange(formed, true)) {
      const auto blocks = static_cast<unsigned>(ceil_div(pairs.row_capacity, kTileThreads));
      launch(largest_shifted_kernel, {.grid = dim3(blocks), .block = dim3(kTileThreads)},
             context.stream, pairs, distances, result, state);
      return;
    }
    dispatch_landmarks(options.metric, pairs.landmark_capacity, [&](auto arithmetic, auto groups) {
      constexpr int kGroups = decltype(groups)::value;
      launch(form_distances_kernel<typename decltype(arithmetic)::type, kGroups>,
             landmark_shape<kGroups>(pairs), context.stream, pairs, input,
             step == TargetStep::kShifted, distances, result, state);
    });
  });
}

LandmarkTarget formed_landmark_target(Context& context, const LandmarkPairs& pairs,
                                      const TargetScales* scales) {
  const void* distances = context.kept().find(key_of(pairs, scales));
  if (distances == nullptr) {
    throw Error("a local loss over landmarks was asked for before its target's statistics");
  }
  return {static_cast<const float*>(distances), scales};
}

}  // namespace lpdm::cuda
