#include "cpu/pairs/level_gradient.h"

#include <algorithm>

#include "cpu/pairs/pairwise_tile.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/pairs/level_gradient.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// Per target, hence after foreach_target.
#include "cpu/pairs/level_credit-inl.h"

HWY_BEFORE_NAMESPACE();
namespace lpdm::cpu::HWY_NAMESPACE {

float quantize_tile(const float* coefficients, const float* row_sums, std::int64_t rows,
                    std::int32_t* words) {
  return quantize_coefficients(coefficients, row_sums, rows, kTile, kTile, kTile, words);
}

void level_gradient_tile(const LevelGradientTile& tile) {
  alignas(64) std::int16_t row_credit[kTile * kLevelPanelWidth];
  constexpr std::int64_t kHalf = kTile * kPanelWidth;
  for (std::int64_t p = 0; p < level_panels_of(tile.dim); ++p) {
    const std::int64_t at = p * kTile * kLevelPanelWidth;
    // Of the panel's dimensions, the second half of which may not be there.
    const bool both = p * kLevelPanelWidth + kPanelWidth < tile.dim;
    const auto add_to = [&](float* gradient, std::int64_t first, std::int64_t count,
                            const std::int16_t* credit) {
      float* low = gradient + 2 * p * kHalf + first * kPanelWidth;
      add_credit(credit, count, tile.unit, kPanelWidth, low, both ? low + kHalf : nullptr);
    };
    std::fill_n(row_credit, tile.rows * kLevelPanelWidth, std::int16_t{0});
    credit_panel({.columns = tile.columns,
                  .column_pitch = kLevelPanelWidth,
                  .column_levels = tile.column_levels + at,
                  .rows = tile.rows,
                  .row_levels = tile.row_levels + at,
                  .row_credit = row_credit,
                  .diagonal = tile.diagonal},
                 tile.words, Pitch<kTile>(), Pitch<1>(),
                 [&](std::int64_t first, std::int64_t count, const std::int16_t* credit) {
                   add_to(tile.column_gradient, first, count, credit);
                 });
    add_to(tile.row_gradient, 0, tile.rows, row_credit);
  }
}

}  // namespace lpdm::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lpdm::cpu {

HWY_EXPORT(quantize_tile);
HWY_EXPORT(level_gradient_tile);

float quantize_tile(const float* coefficients, const float* row_sums, std::int64_t rows,
                    std::int32_t* words) {
  return HWY_DYNAMIC_DISPATCH(quantize_tile)(coefficients, row_sums, rows, words);
}

void level_gradient_tile(const LevelGradientTile& tile) {
  HWY_DYNAMIC_DISPATCH(level_gradient_tile)(tile);
}

}  // namespace lpdm::cpu
#endif  // HWY_ONCE
