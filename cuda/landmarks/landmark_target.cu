#include <utility>

#include "common/launch.h"
#include "landmarks/block_pairs.cuh"
#include "landmarks/landmark_distances.cuh"
#include "landmarks/landmark_target.h"
#include "landmarks/row_quads.h"
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
template <class Arithmetic, int kGroups, int kOwnRows>
__global__ void __launch_bounds__(kTileThreads, kLandmarkBlocks)
    form_distances_kernel(LandmarkPairs pairs, RowQuads input, bool shifted, float* inputs,
                          LargestResult result, LargestState* state) {
  using Shape = LandmarkShape<kGroups, kOwnRows>;
  auto& stages = *dynamic_shared<typename Shape::Stages>();
  const std::int64_t rows = *pairs.row_count;
  const std::int64_t first_row = static_cast<std::int64_t>(blockIdx.x) * Shape::kRows;
  if (first_row >= rows) return;
  LandmarkFragment<kOwnRows> distances;
  landmark_distances<Arithmetic, kGroups, kOwnRows>(pairs, input, first_row, stages, distances);
  const LandmarkPlace<kGroups, kOwnRows> place;
  const auto landmarks = static_cast<int>(*pairs.landmark_count);
  const TargetScales scales = shifted ? undivided(*result.scales) : TargetScales{};
  float shifts[kOwnRows] = {};
  if (shifted) own_shifts(pairs, first_row, place, shifts);
  float largest = 0.0F;
#pragma unroll
  for (int c = 0; c < kOwn; ++c) {
    const int m = place.landmark(c);
    if (m >= landmarks) break;
    const float other = shifted ? shift_of_landmark(pairs, m) : 0.0F;
    float* to = inputs + m * pairs.stride + first_row + place.row(0);
#pragma unroll
    for (int r = 0; r < kOwnRows; ++r) {
      to[r * kRowLanes] = distances[r][c];
      const float value = normalized(distances[r][c], scales, shifts[r], other);
      if (first_row + place.row(r) < rows) largest = fmaxf(largest, value);
    }
  }
  settle_largest(largest, static_cast<unsigned>(ceil_div(rows, Shape::kRows)), result, state);
}

// The largest D · input_scale + g_i + g_j of distances that stand there already. Blocks have a row
// for each thread.
__global__ void __launch_bounds__(kTileThreads)
    largest_shifted_kernel(LandmarkPairs pairs, const float* inputs, LargestResult result,
                           LargestState* state) {
  const std::int64_t first_row = static_cast<std::int64_t>(blockIdx.x) * kTileThreads;
  if (first_row >= *pairs.row_count) return;
  const TargetScales scales = undivided(*result.scales);
  float largest = 0.0F;
  for_block_pairs(pairs, first_row, kTileThreads, [&](int m, std::int64_t row) {
    largest = fmaxf(largest, target_entry(pairs, inputs, scales, m, row));
  });
  settle_largest(largest, static_cast<unsigned>(ceil_div(*pairs.row_count, kTileThreads)), result,
                 state);
}

// Not to be taken for packed outputs, whose forms are 0 or more.
KeptMemory::Key key_of(const LandmarkPairs& pairs, const PairwiseTarget& options) {
  return {.owner = options.input,
          .rows = pairs.stride,
          .width = pairs.landmark_capacity,
          .form = -1 - static_cast<int>(options.metric)};
}

void form_distances(Context& context, const LandmarkPairs& pairs, const PairwiseTarget& options,
                    bool shifted, float* inputs, const LargestResult& result, LargestState* state) {
  const RowQuads quads = row_quads(context, options.rows, options.input, options.dim);
  dispatch_landmarks(options.metric, pairs, [&](auto arithmetic, auto shape) {
    using Shape = typename decltype(shape)::type;
    launch(
        form_distances_kernel<typename decltype(arithmetic)::type, Shape::kGroups, Shape::kOwnRows>,
        landmark_shape<Shape>(pairs), context.stream, pairs, quads, shifted, inputs, result, state);
  });
}

}  // namespace

void form_landmark_target(Context& context, const LandmarkPairs& pairs,
                          const PairwiseTarget& options, TargetScales* scales) {
  const auto count = static_cast<std::size_t>(pairs.landmark_capacity * pairs.stride);
  auto* inputs =
      static_cast<float*>(context.kept().reserve(key_of(pairs, options), count * sizeof(float)));
  bool formed = false;
  find_scales_by(context, options, scales, [&](TargetStep step, const LargestResult& result) {
    auto* state = context.scratch<LargestState>(1);
    check(cudaMemsetAsync(state, 0, sizeof(LargestState), context.stream), "clearing memory");
    if (!std::exchange(formed, true)) {
      form_distances(context, pairs, options, step == TargetStep::kShifted, inputs, result, state);
      return;
    }
    const auto blocks = static_cast<unsigned>(ceil_div(pairs.row_capacity, kTileThreads));
    launch(largest_shifted_kernel, {.grid = dim3(blocks), .block = dim3(kTileThreads)},
           context.stream, pairs, inputs, result, state);
  });
}

LandmarkTarget formed_landmark_target(Context& context, const LandmarkPairs& pairs,
                                      const PairwiseTarget& options, const TargetScales* scales) {
  const void* inputs = context.kept().find(key_of(pairs, options));
  if (inputs == nullptr) {
    throw Error("a local loss over landmarks was asked for before its target's statistics");
  }
  return {static_cast<const float*>(inputs), scales};
}

}  // namespace lpdm::cuda
