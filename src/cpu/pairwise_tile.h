// The two inner loops of the local loss, on tiles of kTile × kTile pairs (Highway, run-time
// dispatch).
//
// A tile lies between two blocks of rows: the "row" block (one row at a time, broadcast) and the
// "column" block (lanes). Tiles are [row][column]. Distances are symmetric to the last bit, so it
// does not matter which block is which.
#pragma once

#include <cstdint>

#include "lpdm/config.h"

namespace lpdm::cpu {

inline constexpr std::int64_t kTile = 64;  // rows per block: a tile of floats fills 16 KB of L1
inline constexpr std::int64_t kPanelWidth =
    16;  // dimensions per gradient panel: one AVX-512 vector

// A block of rows as the distance loop reads it.
struct BlockPanel {
  const float* values = nullptr;  // (dim, kTile): transposed, relative to one common row
  const float* sums = nullptr;    // (kTile): Σ_d of each row's values, added in order of d (l1)
};

// distances[r][c] for r < rows, c < kTile. What lies beyond the blocks' real rows is unspecified.
//
// l1 uses |a − b| = 2 max(a, b) − a − b: two instructions per pair and dimension instead of three.
// The values are relative to one of the rows, so the sums are at most max D and the subtraction
// loses nothing that matters; equal rows give exactly 0.
void distance_tile(Metric metric, const BlockPanel& row_block, std::int64_t rows,
                   const BlockPanel& column_block, std::int64_t dim, float* distances);

// Adds a tile's part of Σ_j e_ij ∂D_ij/∂y_i to the gradients of both blocks.
struct GradientTile {
  Metric metric = Metric::kL1;
  const float* coefficients = nullptr;  // [row][column]: e_ij (l1) or e_ij / D_ij (l2)
  std::int64_t rows = 0;                // of the row block
  std::int64_t columns = 0;             // of the column block
  bool diagonal = false;                // both blocks are the same: only column < row is non-zero
  std::int64_t dim = 0;

  // The column block, packed by pack_column_panels; its gradient is added in the same layout.
  const float* column_values = nullptr;  // (panels, kTile, kPanelWidth)
  float* column_gradient = nullptr;      // (panels, kTile, kPanelWidth)

  // The row block, read and written where it lies.
  const std::int64_t* row_index = nullptr;  // (rows): its rows in `values` and `gradient`
  const float* values = nullptr;            // (N, dim)
  float* gradient = nullptr;                // (N, dim)
  // l1: a power of two that makes every difference of two distinct values at least 1 in magnitude,
  // so that clamping it to [−1, 1] is its sign, and sign(0) = 0.  l2: 1.
  float value_scale = 1.0F;
};

void gradient_tile(const GradientTile& tile);

// Copies rows of (N, dim), times value_scale, into (panels, kTile, kPanelWidth), padded with zeros.
void pack_column_panels(const float* values, std::int64_t dim, const std::int64_t* row_index,
                        std::int64_t rows, float value_scale, float* panels);

// gradient rows += (panels, kTile, kPanelWidth), for panel rows first to end − 1.
void add_column_panels(const float* panels, std::int64_t dim, const std::int64_t* row_index,
                       std::int64_t first, std::int64_t end, float* gradient);

// The power of two described at GradientTile::value_scale, for values of at most max_abs.
float sign_scale(float max_abs);

}  // namespace lpdm::cpu
