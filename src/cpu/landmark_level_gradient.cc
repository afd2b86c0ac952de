#include "cpu/landmark_level_gradient.h"

#include <hwy/cache_control.h>

#include <algorithm>

#include "cpu/landmark_tile.h"
#include "cpu/pairwise_tile.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/landmark_level_gradient.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// Per target, hence after foreach_target.
#include "cpu/activation_slope-inl.h"
#include "cpu/level_credit-inl.h"
#include "cpu/tail_vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace lpdm::cpu::HWY_NAMESPACE {

static_assert(kLevelGradientRows % kColumnsPerStep == 0);

// What all deltas have in common.
struct DeltaScale {
  float factor = 0.0F;  // of a row's sum of coefficients
  float credit = 0.0F;  // of a unit of its credit
  float level = 0.0F;   // what a level stands for; 0: the derivative is left out
};

// delta of the dimensions from `d` on, up to a panel's, of rows [row, row + count).
template <bool kStreamed>
HWY_INLINE void write_deltas(const LandmarkLevelGradient& op, const DeltaScale& scale,
                             std::int64_t d, std::int64_t row, std::int64_t count,
                             const std::int16_t* credit) {
  const Floats floats;
  const auto width = static_cast<std::int64_t>(hn::Lanes(floats));
  const FloatVector per_credit = hn::Set(floats, scale.credit);
  const FloatVector per_level = hn::Set(floats, scale.level);
  const std::int64_t end = std::min(kLevelPanelWidth, op.dim - d);
  for (std::int64_t r = 0; r < count; ++r) {
    const FloatVector offset = hn::Set(floats, scale.factor * op.coefficient_sums[row + r]);
    const std::int16_t* credits = credit + r * kLevelPanelWidth;
    const std::int16_t* levels = op.levels + (row + r) * op.pitch + d;
    float* delta = op.delta + (row + r) * op.dim + d;
    for (std::int64_t lane = 0; lane < end; lane += width) {
      const FloatVector gradient = hn::MulSub(per_credit, to_float(credits + lane), offset);
      const FloatVector y = hn::Mul(to_float(levels + lane), per_level);
      const FloatVector value = hn::Mul(gradient, slope<Activation::kTanh>(y));
      if constexpr (kStreamed) {
        hn::Stream(value, floats, delta + lane);
      } else {
        store_available(floats, value, delta + lane, end - lane);
      }
    }
  }
}

template <bool kStreamed>
void landmark_gradient_of(const LandmarkLevelGradient& op) {
  // Not a power of two apart, so that rows do not share the cache's sets.
  constexpr std::int64_t kPitch = kMostLandmarks + kLandmarkLanes;
  alignas(64) std::int32_t words[kLevelGradientRows * kPitch];
  alignas(64) std::int16_t landmark_credit[kMostLandmarks * kLevelPanelWidth];
  const float unit = quantize_coefficients(op.coefficients, op.coefficient_sums, op.rows, op.stride,
                                           op.stride, kPitch, words);
  const std::int64_t whole = ceil_div(op.rows, kColumnsPerStep) * kColumnsPerStep;
  for (std::int64_t r = op.rows; r < whole; ++r) std::fill_n(words + r * kPitch, op.landmarks, 0);
  const DeltaScale scale{.factor = op.factor,
                         .credit = 2.0F * op.factor * unit,
                         .level = op.through_activation ? kLevelStep : 0.0F};
  for (std::int64_t p = 0; p < level_panels_of(op.dim); ++p) {
    const std::int64_t at = p * op.landmarks * kLevelPanelWidth;
    const std::int64_t d = p * kLevelPanelWidth;
    std::fill_n(landmark_credit, op.landmarks * kLevelPanelWidth, std::int16_t{0});
    credit_panel<1, kPitch>(
        {.columns = op.rows,
         .column_pitch = op.pitch,
         .column_levels = op.levels + d,
         .rows = op.landmarks,
         .row_levels = op.landmark_levels + at,
         .row_credit = landmark_credit},
        words, [&](std::int64_t first, std::int64_t count, const std::int16_t* credit) {
          write_deltas<kStreamed>(op, scale, d, first, count, credit);
        });
    float* landmarks = op.landmark_credit + at;
    add_credit(landmark_credit, op.landmarks, unit, kLevelPanelWidth, landmarks,
               landmarks + kPanelWidth);
  }
  if constexpr (kStreamed) hwy::FlushStream();  // other threads read them next
}

void landmark_level_gradient(const LandmarkLevelGradient& op) {
  // Streams write whole vectors to addresses that are multiples of their size.
  const bool whole_vectors =
      op.dim % kPanelWidth == 0 && reinterpret_cast<std::uintptr_t>(op.delta) % kAlignment == 0;
  return op.streamed && whole_vectors ? landmark_gradient_of<true>(op)
                                      : landmark_gradient_of<false>(op);
}

}  // namespace lpdm::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lpdm::cpu {

HWY_EXPORT(landmark_level_gradient);

void landmark_level_gradient(const LandmarkLevelGradient& op) {
  HWY_DYNAMIC_DISPATCH(landmark_level_gradient)(op);
}

}  // namespace lpdm::cpu
#endif  // HWY_ONCE
