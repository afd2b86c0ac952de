// The inner loop of gradients in levels, and what goes in and out of it. Compiled once per SIMD
// target.
#if defined(LPDM_CPU_LEVEL_CREDIT_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef LPDM_CPU_LEVEL_CREDIT_INL_H_
#undef LPDM_CPU_LEVEL_CREDIT_INL_H_
#else
#define LPDM_CPU_LEVEL_CREDIT_INL_H_
#endif

#include <hwy/highway.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <type_traits>

#include "cpu/common/round_to_integer-inl.h"
#include "cpu/landmarks/landmark_tile.h"
#include "cpu/pairs/levels.h"
#include "cpu/pairs/pairwise_tile.h"

HWY_BEFORE_NAMESPACE();
namespace lpdm::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Levels = hn::CappedTag<std::int16_t, kLevelPanelWidth>;
using LevelVector = hn::Vec<Levels>;
using Floats = hn::CappedTag<float, kPanelWidth>;
using FloatVector = hn::Vec<Floats>;
using Words = hn::RebindToSigned<Floats>;

// Columns whose levels and credits stay in registers.
#if HWY_TARGET <= HWY_AVX3 || HWY_ARCH_ARM
inline constexpr std::int64_t kColumnsPerStep = 8;
#else
inline constexpr std::int64_t kColumnsPerStep = 4;
#endif
static_assert(kTile % kColumnsPerStep == 0);

// The largest sum of rounded coefficients; kMostLandmarks of them may each be rounded up by a half.
inline constexpr float kLargestSum = 32767.0F - 0.5F * static_cast<float>(kMostLandmarks);

// Coefficients (rows, columns), `stride` apart, as both halves of words `pitch` apart, in units
// such that no sum of a row's or a column's, of whichever of them, leaves 16 bits. Returns the
// unit. columns: a multiple of kPanelWidth up to kMostLandmarks; row_sums: (rows), of the
// coefficients
inline float quantize_coefficients(const float* coefficients, const float* row_sums,
                                   std::int64_t rows, std::int64_t columns, std::int64_t stride,
                                   std::int64_t pitch, std::int32_t* words) {
  const Floats floats;
  const Words integers;
  const auto width = static_cast<std::int64_t>(hn::Lanes(floats));
  // The larger of the positive ones' sum and the negative ones' is half of |Σ e| + Σ |e|.
  alignas(64) float sums[kMostLandmarks] = {};
  alignas(64) float sizes[kMostLandmarks] = {};
  float largest = 0.0F;
  for (std::int64_t r = 0; r < rows; ++r) {
    FloatVector size = hn::Zero(floats);
    for (std::int64_t c = 0; c < columns; c += width) {
      const FloatVector value = hn::Load(floats, coefficients + r * stride + c);
      const FloatVector absolute = hn::Abs(value);
      size = hn::Add(size, absolute);
      hn::Store(hn::Add(hn::Load(floats, sums + c), value), floats, sums + c);
      hn::Store(hn::Add(hn::Load(floats, sizes + c), absolute), floats, sizes + c);
    }
    largest = std::max(largest, std::abs(row_sums[r]) + hn::GetLane(hn::SumOfLanes(floats, size)));
  }
  for (std::int64_t c = 0; c < columns; ++c) {
    largest = std::max(largest, std::abs(sums[c]) + sizes[c]);
  }
  const float unit = 0.5F * largest / kLargestSum;
  const FloatVector per_unit = hn::Set(floats, unit > 0.0F ? 1.0F / unit : 0.0F);
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t c = 0; c < columns; c += width) {
      const FloatVector value = hn::Load(floats, coefficients + r * stride + c);
      const auto rounded = round_to_integer(floats, value, per_unit);
      const auto low = hn::And(rounded, hn::Set(integers, 0xFFFF));
      hn::StoreU(hn::Or(low, hn::ShiftLeft<16>(rounded)), integers, words + r * pitch + c);
    }
  }
  return unit;
}

HWY_INLINE LevelVector broadcast(std::int32_t word) {
#if HWY_TARGET == HWY_SCALAR
  return hn::Set(Levels(), static_cast<std::int16_t>(word));
#else
  return hn::BitCast(Levels(), hn::Set(hn::Repartition<std::int32_t, Levels>(), word));
#endif
}

// The coefficient to the column's credit, and from the row's, if the column's level is larger.
HWY_INLINE void add_pair(LevelVector column, LevelVector row, LevelVector coefficient,
                         LevelVector& column_credit, LevelVector& row_credit) {
#if HWY_TARGET <= HWY_AVX3
  // Masked additions, which this version of Highway has no name for.
  const __mmask32 larger = _mm512_cmplt_epi16_mask(row.raw, column.raw);
  column_credit.raw =
      _mm512_mask_add_epi16(column_credit.raw, larger, column_credit.raw, coefficient.raw);
  row_credit.raw = _mm512_mask_sub_epi16(row_credit.raw, larger, row_credit.raw, coefficient.raw);
#else
  const LevelVector credit = hn::And(hn::VecFromMask(Levels(), hn::Lt(row, column)), coefficient);
  column_credit = hn::Add(column_credit, credit);
  row_credit = hn::Sub(row_credit, credit);
#endif
}

// One panel of dimensions.
struct Panel {
  std::int64_t columns = 0;
  std::int64_t column_pitch = 0;
  const std::int16_t* column_levels = nullptr;  // columns, in whole steps, column_pitch apart
  std::int64_t rows = 0;
  const std::int16_t* row_levels = nullptr;  // (rows, kLevelPanelWidth)
  std::int16_t* row_credit = nullptr;        // (rows, kLevelPanelWidth), added to
  bool diagonal = false;
};

// A pitch that is known at compile time.
template <std::int64_t kPitch>
using Pitch = std::integral_constant<std::int64_t, kPitch>;

// words[r · row_pitch + c · column_pitch]: coefficient of row r and column c.
// finish(column, count, credit): what becomes of the credits (count, kLevelPanelWidth) of a step's
// columns.
template <class RowPitch, class ColumnPitch, class Finish>
HWY_INLINE void credit_panel(const Panel& panel, const std::int32_t* HWY_RESTRICT words,
                             RowPitch row_pitch, ColumnPitch column_pitch, const Finish& finish) {
  const Levels levels;
  const auto width = static_cast<std::int64_t>(hn::Lanes(levels));
  alignas(64) std::int16_t column_credit[kColumnsPerStep * kLevelPanelWidth];
  for (std::int64_t first = 0; first < panel.columns; first += kColumnsPerStep) {
    for (std::int64_t lane = 0; lane < kLevelPanelWidth; lane += width) {
      const std::int16_t* HWY_RESTRICT row_levels = panel.row_levels + lane;
      std::int16_t* HWY_RESTRICT row_credits = panel.row_credit + lane;
      LevelVector column[kColumnsPerStep];
      LevelVector credit[kColumnsPerStep];
      for (std::int64_t c = 0; c < kColumnsPerStep; ++c) {
        column[c] =
            hn::LoadU(levels, panel.column_levels + (first + c) * panel.column_pitch + lane);
        credit[c] = hn::Zero(levels);
      }
      for (std::int64_t r = panel.diagonal ? first : 0; r < panel.rows; ++r) {
        const LevelVector row = hn::Load(levels, row_levels + r * kLevelPanelWidth);
        LevelVector row_credit = hn::Load(levels, row_credits + r * kLevelPanelWidth);
        HWY_UNROLL(8)
        for (std::int64_t c = 0; c < kColumnsPerStep; ++c) {
          const std::int32_t word = words[r * row_pitch + (first + c) * column_pitch];
          add_pair(column[c], row, broadcast(word), credit[c], row_credit);
        }
        hn::Store(row_credit, levels, row_credits + r * kLevelPanelWidth);
      }
      for (std::int64_t c = 0; c < kColumnsPerStep; ++c) {
        hn::Store(credit[c], levels, column_credit + c * kLevelPanelWidth + lane);
      }
    }
    finish(first, std::min(kColumnsPerStep, panel.columns - first), column_credit);
  }
}

HWY_INLINE FloatVector to_float(const std::int16_t* levels) {
  const hn::Rebind<std::int16_t, Floats> halves;
  return hn::ConvertTo(Floats(), hn::PromoteTo(Words(), hn::Load(halves, levels)));
}

// Adds unit · credit (count, kLevelPanelWidth) to rows `pitch` apart: the first half of a panel's
// dimensions to `low`, the other to `high` (null: there are none).
inline void add_credit(const std::int16_t* credit, std::int64_t count, float unit,
                       std::int64_t pitch, float* low, float* high) {
  const Floats floats;
  const auto width = static_cast<std::int64_t>(hn::Lanes(floats));
  const FloatVector scale = hn::Set(floats, unit);
  for (std::int64_t k = 0; k < count; ++k) {
    const std::int16_t* from = credit + k * kLevelPanelWidth;
    for (std::int64_t lane = 0; lane < kPanelWidth; lane += width) {
      float* to = low + k * pitch + lane;
      hn::Store(hn::MulAdd(to_float(from + lane), scale, hn::Load(floats, to)), floats, to);
      if (high == nullptr) continue;
      to = high + k * pitch + lane;
      hn::Store(hn::MulAdd(to_float(from + kPanelWidth + lane), scale, hn::Load(floats, to)),
                floats, to);
    }
  }
}

}  // namespace lpdm::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // LPDM_CPU_LEVEL_CREDIT_INL_H_
