#include "common/launch.h"
#include "pairs/dispatch.cuh"
#include "pairs/largest_use.cuh"

namespace lpdm::cuda {

namespace {

template <class InputArithmetic, bool kChain>
__global__ void __launch_bounds__(kTileThreads, kChain ? 1 : kTileBlocks)
    find_largest_kernel(PairDomain domain, TargetView view, TargetStep step, LargestResult result,
                        LargestState* state) {
  __shared__ DistanceStages stages;
  TileWalk walk(domain, true);
  if (!walk.has_rows()) return;
  float largest = 0.0F;
  walk.for_tiles([&](const TileBounds& bounds) {
    Fragment target;
    EntryMasks masks;
    target_tile<kChain, InputArithmetic>(domain, view, bounds, step, stages, target, masks);
#pragma unroll
    for (int r = 0; r < kOwn; ++r) {
#pragma unroll
      for (int c = 0; c < kOwn; ++c) {
        if ((masks.pair & EntryMasks::bit(r, c)) != 0) largest = fmaxf(largest, target[r][c]);
      }
    }
  });
  largest = tile_block_max(largest);
  if (threadIdx.x == 0) atomicMax(&state->bits, __float_as_uint(largest));
  if (!is_last_block(&state->blocks_done, walk.active_blocks()) || threadIdx.x != 0) return;
  use_largest(result, __uint_as_float(atomicMax(&state->bits, 0U)));
}

__global__ void set_unit_scales_kernel(TargetScales* scales) { *scales = {}; }

}  // namespace

void find_largest(Context& context, const TileGrid& grid, const PairDomain& domain,
                  const TargetView& target, Metric metric, TargetStep step,
                  const LargestResult& result) {
  auto* state = context.scratch<LargestState>(1);
  check(cudaMemsetAsync(state, 0, sizeof(LargestState), context.stream), "clearing memory");
  const bool chain = target.links > 0 || step == TargetStep::kError;
  dispatch_arithmetic(metric, Arithmetic::kFp32, chain, [&](auto input, auto, auto of_chain) {
    launch(find_largest_kernel<typename decltype(input)::type, decltype(of_chain)::value>,
           {.grid = grid.grid(), .block = dim3(kTileThreads)}, context.stream, domain, target, step,
           result, state);
  });
}

void set_unit_scales(Context& context, TargetScales* scales) {
  launch(set_unit_scales_kernel, {.grid = dim3(1), .block = dim3(1)}, context.stream, scales);
}

void find_scales(Context& context, const TileGrid& grid, const PairDomain& domain,
                 const TargetView& target, const PairwiseTarget& options, TargetScales* scales) {
  find_scales_by(context, options, scales, [&](TargetStep step, const LargestResult& result) {
    find_largest(context, grid, domain, target, options.metric, step, result);
  });
}

}  // namespace lpdm::cuda
