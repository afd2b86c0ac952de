// The element-wise part of the local loss on one tile of pairs: distances → T, E and their sums.
#pragma once

#include <cstdint>

#include "cpu/pairs/pairwise_tile.h"
#include "lpdm/config.h"

namespace lpdm::cpu {

// Sums over ordered entries of the N×N matrices (each unordered pair counts twice, times its weight
// if there are weights), in float64.
// Distances are D_Y itself, not yet divided by its maximum.
struct PairSums {
  double error_squared = 0.0;     // Σ E²
  double error_distance = 0.0;    // Σ E·D
  double target = 0.0;            // Σ T
  double target_squared = 0.0;    // Σ T²
  double distance = 0.0;          // Σ D
  double distance_squared = 0.0;  // Σ D²
  double target_distance = 0.0;   // Σ T·D
  float max_distance = 0.0F;      // max D

  void add(const PairSums& other);
};

// Tiles are [row][column] with kTile columns, of which all are written.

// distances → T in place: (D_X · input_scale + g_row + g_column) · target_scale.
struct TargetTile {
  std::int64_t rows = 0;
  std::int64_t stride = kTile;  // columns, a multiple of kPanelWidth
  float input_scale = 1.0F;
  float target_scale = 1.0F;
  const float* row_shift = nullptr;     // (rows), null: unguided
  const float* column_shift = nullptr;  // (stride), null: unguided
  float* distances = nullptr;           // [row][column]
};

void target_tile(const TargetTile& tile);

// Per row of a block: an entry of T and its column, counted from the tile's first column (or row).
struct RankLimits {
  const float* values = nullptr;   // (kTile)
  const float* columns = nullptr;  // (kTile), whole numbers
};

// The weights of sparse pairs: ½ for each end of a pair that keeps the other, which it does where
// (T, column) ≤ its closest limit or ≥ its furthest one. All kTile columns are written.
struct WeightTile {
  std::int64_t rows = 0;
  RankLimits row_closest;
  RankLimits row_furthest;
  RankLimits column_closest;
  RankLimits column_furthest;
  const float* target = nullptr;  // [row][column]
  float* weights = nullptr;       // [row][column]
};

void weight_tile(const WeightTile& tile);

// E = target_weight·T − distance_weight·D on the tile's pairs, its sums, and the coefficients of
// the gradient: E (l1) or E / D (l2), 0 outside the pairs. With weights, each pair counts as often
// as its weight says, except in max D; `weights` leave the maximum's own coefficient as it is.
struct ErrorTile {
  Metric metric = Metric::kL1;
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  bool diagonal = false;             // pairs: column < row only
  float target_weight = 0.0F;        // s_T
  float distance_weight = 0.0F;      // s_Y / max D
  float maximum = 0.0F;              // the maximum of D that distance_weight assumes
  float maximum_coefficient = 0.0F;  // added to the coefficient where D = maximum
  const float* target = nullptr;     // [row][column]
  const float* distances = nullptr;  // [row][column]
  const float* weights = nullptr;    // [row][column], null: 1 everywhere
  float* coefficients = nullptr;     // [row][column], may be where the distances are
  float* row_sums = nullptr;         // (rows), of the coefficients
  float* column_sums = nullptr;      // (kTile), of the coefficients
};

PairSums error_tile(const ErrorTile& tile);

}  // namespace lpdm::cpu
