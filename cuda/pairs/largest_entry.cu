#include "common/launch.h"
#include "pairs/dispatch.cuh"
#include "pairs/largest_entry.h"
#include "pairs/layer_state.h"

namespace lpdm::cuda {

namespace {

struct LargestState {
  unsigned bits;
  unsigned blocks_done;
};

__device__ double reciprocal_or(double value, double otherwise) {
  return value > 0.0 ? 1.0 / value : otherwise;
}

__device__ void use_largest(const LargestResult& result, float largest) {
  constexpr float kEpsilon = 1.1920929e-7F;  // of float32
  switch (result.use) {
    case LargestUse::kUnguided:
      *result.scales = {1.0, reciprocal_or(largest, 0.0)};
      return;
    case LargestUse::kInputScale:
      *result.scales = {reciprocal_or(largest, 1.0), 1.0};
      return;
    case LargestUse::kTargetScale:
      result.scales->target_scale = reciprocal_or(largest, 0.0);
      return;
    case LargestUse::kErrorScale: {
      // E is the difference of two terms of at most s_T and s_Y: below this it is their rounding.
      const float rounding =
          4.0F * kEpsilon * fmaxf(result.weights->target, result.weights->output);
      *result.error_scale = largest > rounding ? 1.0F / largest : 0.0F;
      return;
    }
  }
}

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

__global__ void set_scales_kernel(TargetScales* scales, TargetScales value) { *scales = value; }

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

void find_scales(Context& context, const TileGrid& grid, const PairDomain& domain,
                 const TargetView& target, const PairwiseTarget& options, TargetScales* scales) {
  if (options.shift == nullptr) {
    find_largest(context, grid, domain, target, options.metric, TargetStep::kDistance,
                 {.use = LargestUse::kUnguided, .scales = scales});
    return;
  }
  if (options.guide_base == GuideBase::kNormalized) {
    find_largest(context, grid, domain, target, options.metric, TargetStep::kDistance,
                 {.use = LargestUse::kInputScale, .scales = scales});
  } else {
    launch(set_scales_kernel, {.grid = dim3(1), .block = dim3(1)}, context.stream, scales,
           TargetScales{});
  }
  find_largest(context, grid, domain, target, options.metric, TargetStep::kShifted,
               {.use = LargestUse::kTargetScale, .scales = scales});
}

}  // namespace lpdm::cuda
