// The maxima that normalise the target T, found exactly in one or two passes over the pairs.
#pragma once

#include "cpu/common/context.h"
#include "cpu/pairs/input_target.h"
#include "lpdm/ops.h"

namespace lpdm::cpu {

// 1 / value, or `otherwise` where the division is left out.
inline double reciprocal_or(double value, double otherwise) {
  return value > 0.0 ? 1.0 / value : otherwise;
}

// The scales of a target made from some distances. largest_distance() is their maximum,
// largest_shifted(input_scale) that of (distance · input_scale + g_i + g_j); called if needed.
template <class LargestDistance, class LargestShifted>
TargetScales find_target_scales(const PairwiseTarget& target,
                                const LargestDistance& largest_distance,
                                const LargestShifted& largest_shifted) {
  if (target.shift == nullptr) return {1.0, reciprocal_or(largest_distance(), 0.0)};
  const bool normalized = target.guide_base == GuideBase::kNormalized;
  const double input_scale = normalized ? reciprocal_or(largest_distance(), 1.0) : 1.0;
  return {input_scale, reciprocal_or(largest_shifted(input_scale), 0.0)};
}

// `input` is scratch.
void target_statistics(Context& context, InputTarget& input, const TargetStatistics& op);

}  // namespace lpdm::cpu
