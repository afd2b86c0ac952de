// The l1 gradient of pairs from 16-bit levels and 16-bit coefficients (Highway, run-time dispatch).
//
// As in float32 a pair's coefficient is credited to one end, and taken from the other, where its
// level is larger: one comparison and two masked additions, of 32 dimensions instead of 16. A
// tile's coefficients are scaled so that no sum of theirs leaves 16 bits, some eleven bits of the
// largest one remaining; their rounding errors are independent, so the gradient of many pairs has
// more. Equal levels count as if the column's were smaller. That gives values which are equal a
// direction instead of none. It is of no consequence where they are saturated, for want of slope,
// nor for rows that are equal everywhere, which make opposite contributions to the same weight
// gradient; a unit that stays within a level for all rows, unsaturated, is driven in an arbitrary
// direction.
#pragma once

#include <cstdint>

#include "cpu/pairs/levels.h"

namespace lpdm::cpu {

// A tile's coefficients (rows, kTile) as whole numbers, each in both halves of a word, as
// level_gradient_tile takes them. Returns their unit. row_sums: (rows), of the coefficients
float quantize_tile(const float* coefficients, const float* row_sums, std::int64_t rows,
                    std::int32_t* words);

// The gradients are float32 in panels of kPanelWidth, as in pairwise_tile.h: half of the gradient,
// to be completed by the sums of the coefficients. kTile rows by kTile columns.
struct LevelGradientTile {
  const std::int32_t* words = nullptr;  // (rows, kTile), the coefficients: [row][column]
  float unit = 0.0F;                    // what a coefficient of 1 stands for
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  bool diagonal = false;  // only column < row is non-zero
  std::int64_t dim = 0;
  const std::int16_t* column_levels = nullptr;  // (level panels, kTile, kLevelPanelWidth)
  const std::int16_t* row_levels = nullptr;
  float* column_gradient = nullptr;  // (panels, kTile, kPanelWidth), added to
  float* row_gradient = nullptr;     // another one, on the diagonal too
};

void level_gradient_tile(const LevelGradientTile& tile);

}  // namespace lpdm::cpu
