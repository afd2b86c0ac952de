#include "cpu/landmarks/landmark_level_gradient.h"

#include <hwy/cache_control.h>

#include <algorithm>

#include "cpu/common/prefetch.h"
#include "cpu/landmarks/landmark_tile.h"
#include "cpu/pairs/pairwise_tile.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/landmarks/landmark_level_gradient.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// Per target, hence after foreach_target.
#include "cpu/common/activation_slope-inl.h"
#include "cpu/common/tail_vectors-inl.h"
#include "cpu/pairs/level_credit-inl.h"

HWY_BEFORE_NAMESPACE();
namespace lpdm::cpu::HWY_NAMESPACE {

static_assert(kLandmarkStep % kColumnsPerStep == 0);

float round_landmark_coefficients(std::int64_t rows, std::int64_t stride, const float* sums,
                                  float* coefficients) {
  // Vectors may alias whatever they are loaded from, and each is loaded before it is replaced.
  return quantize_coefficients(coefficients, sums, rows, stride, stride, stride,
                               reinterpret_cast<std::int32_t*>(coefficients));
}

// What all deltas have in common.
struct DeltaScale {
  float factor = 0.0F;  // of a row's sum of coefficients
  float credit = 0.0F;  // of a unit of its credit
  float level = 0.0F;   // what a level stands for; 0: the derivative is left out
};

// What the next step reads, and what it writes a whole step later: no processor foresees rows that
// are far apart.
template <bool kStreamed>
HWY_INLINE void prefetch_row(const LandmarkLevelGradient& op, std::int64_t row) {
  hwy::Prefetch(op.levels + row * op.pitch);
  if constexpr (kStreamed) return;
  for (std::int64_t lane = 0; lane < kLevelPanelWidth; lane += kPanelWidth) {
    prefetch_for_write(op.delta + row * op.delta_pitch + lane);
  }
}

// delta of rows [row, row + count).
template <bool kStreamed>
HWY_INLINE void write_deltas(const LandmarkLevelGradient& op, const DeltaScale& scale,
                             std::int64_t row, std::int64_t count, const std::int16_t* credit) {
  const Floats floats;
  const auto width = static_cast<std::int64_t>(hn::Lanes(floats));
  const FloatVector per_credit = hn::Set(floats, scale.credit);
  const FloatVector per_level = hn::Set(floats, scale.level);
  for (std::int64_t r = 0; r < count; ++r) {
    const FloatVector offset = hn::Set(floats, scale.factor * op.coefficient_sums[row + r]);
    const std::int16_t* credits = credit + r * kLevelPanelWidth;
    const std::int16_t* levels = op.levels + (row + r) * op.pitch;
    float* delta = op.delta + (row + r) * op.delta_pitch;
    prefetch_row<kStreamed>(op, row + r + kColumnsPerStep);
    for (std::int64_t lane = 0; lane < op.dims; lane += width) {
      const FloatVector gradient = hn::MulSub(per_credit, to_float(credits + lane), offset);
      const FloatVector y = hn::Mul(to_float(levels + lane), per_level);
      const FloatVector value = hn::Mul(gradient, slope<Activation::kTanh>(y));
      if constexpr (kStreamed) {
        hn::Stream(value, floats, delta + lane);
      } else {
        store_available(floats, value, delta + lane, op.dims - lane);
      }
    }
  }
}

template <bool kStreamed>
void gradient_of(const LandmarkLevelGradient& op) {
  alignas(64) std::int16_t landmark_credit[kMostLandmarks * kLevelPanelWidth];
  std::fill_n(landmark_credit, op.landmarks * kLevelPanelWidth, std::int16_t{0});
  const DeltaScale scale{.factor = op.factor,
                         .credit = 2.0F * op.factor * op.unit,
                         .level = op.through_activation ? kLevelStep : 0.0F};
  credit_panel({.columns = op.rows,
                .column_pitch = op.pitch,
                .column_levels = op.levels,
                .rows = op.landmarks,
                .row_levels = op.landmark_levels,
                .row_credit = landmark_credit},
               reinterpret_cast<const std::int32_t*>(op.coefficients), Pitch<1>(), op.stride,
               [&](std::int64_t first, std::int64_t count, const std::int16_t* credit) {
                 write_deltas<kStreamed>(op, scale, first, count, credit);
               });
  add_credit(landmark_credit, op.landmarks, op.unit, kLevelPanelWidth, op.landmark_credit,
             op.landmark_credit + kPanelWidth);
  if constexpr (kStreamed) hwy::FlushStream();  // other threads read them next
}

void landmark_level_gradient(const LandmarkLevelGradient& op) {
  // Streams write whole vectors to addresses that are multiples of their size.
  const bool whole_vectors = op.dims % kPanelWidth == 0 && op.delta_pitch % kPanelWidth == 0 &&
                             reinterpret_cast<std::uintptr_t>(op.delta) % kAlignment == 0;
  return op.streamed && whole_vectors ? gradient_of<true>(op) : gradient_of<false>(op);
}

}  // namespace lpdm::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lpdm::cpu {

HWY_EXPORT(round_landmark_coefficients);
HWY_EXPORT(landmark_level_gradient);

float round_landmark_coefficients(std::int64_t rows, std::int64_t stride, const float* sums,
                                  float* coefficients) {
  return HWY_DYNAMIC_DISPATCH(round_landmark_coefficients)(rows, stride, sums, coefficients);
}

void landmark_level_gradient(const LandmarkLevelGradient& op) {
  HWY_DYNAMIC_DISPATCH(landmark_level_gradient)(op);
}

}  // namespace lpdm::cpu
#endif  // HWY_ONCE
