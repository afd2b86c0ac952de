// What becomes of the largest entry of a target, however it was found.
#pragma once

#include <cuda_runtime.h>

#include "common/context.h"
#include "pairs/largest_entry.h"

namespace lpdm::cuda {

// Starts as zero bytes.
struct LargestState {
  unsigned bits;
  unsigned blocks_done;
};

__device__ inline double reciprocal_or(double value, double otherwise) {
  return value > 0.0 ? 1.0 / value : otherwise;
}

__device__ inline void use_largest(const LargestResult& result, float largest) {
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

// find(step, result) enqueues the search for the largest entry at that step of the target's making.
template <class Find>
void find_scales_by(Context& context, const PairwiseTarget& options, TargetScales* scales,
                    const Find& find) {
  if (options.shift == nullptr) {
    find(TargetStep::kDistance, LargestResult{.use = LargestUse::kUnguided, .scales = scales});
    return;
  }
  if (options.guide_base == GuideBase::kNormalized) {
    find(TargetStep::kDistance, LargestResult{.use = LargestUse::kInputScale, .scales = scales});
  } else {
    set_unit_scales(context, scales);
  }
  find(TargetStep::kShifted, LargestResult{.use = LargestUse::kTargetScale, .scales = scales});
}

}  // namespace lpdm::cuda
