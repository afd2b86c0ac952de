// The two inner loops of the local loss, on tiles of kTile × kTile pairs (Highway, run-time
// dispatch).
//
// A tile lies between two blocks of rows: the "row" block (one row at a time, broadcast) and the
// "column" block (lanes). Tiles are [row][column]. Distances are symmetric to the last bit, so it
// does not matter which block is which.
#pragma once

#include <cstdint>

#include "cpu/pairs/level_distance.h"
#include "lpdm/config.h"

namespace lpdm::cpu {

inline constexpr std::int64_t kTile = 64;  // rows per block: a tile of floats fills 16 KB of L1
inline constexpr std::int64_t kPanelWidth =
    16;  // dimensions per gradient panel: one AVX-512 vector

// A block of rows as the distance loop reads it: float32, or levels.
struct BlockPanel {
  const float* values = nullptr;  // (dim, kTile): transposed, relative to one common row
  const float* sums = nullptr;    // (kTile): Σ_d of each row's values, added in order of d (l1)
  LevelBlock levels;              // instead of these, where it has words
};

// distances[r][c] for r < rows, c < kTile. What lies beyond the blocks' real rows is unspecified;
// so are, with lower_half, those with c > r.
//
// l1 uses |a − b| = 2 max(a, b) − a − b: two instructions per pair and dimension instead of three.
// The values are relative to one of the rows, so the sums are at most max D and the subtraction
// loses nothing that matters; equal rows give exactly 0.
void distance_tile(Metric metric, const BlockPanel& row_block, std::int64_t rows,
                   const BlockPanel& column_block, std::int64_t dim, float* distances,
                   bool lower_half = false);

// The largest of distances[r][c], (rows, stride), with r < rows, c < columns and, with lower_half,
// c < r; 0 if none is larger. stride: a multiple of kPanelWidth
float tile_maximum(const float* distances, std::int64_t rows, std::int64_t columns,
                   std::int64_t stride = kTile, bool lower_half = false);

// Values and gradients of a block as the gradient loop reads them: (panels, kTile, kPanelWidth),
// the last panel padded with zeros.
std::int64_t panels_of(std::int64_t dim);

// Adds a tile's part of the gradient to both blocks.
//
// l2: Σ_j e_ij (y_i − y_j) / D_ij. l1: only half of Σ_j e_ij sign(y_i − y_j) is worked out pair by
// pair. A pair is credited to the column when the column's value is larger, so with the offset
// s_i = Σ e (i as a row) − Σ e (i as a column) of ErrorTile's sums the gradient is 2 · panel + s_i:
// a comparison and two additions per pair and dimension, in place of four instructions.
struct GradientTile {
  Metric metric = Metric::kL1;
  const float* coefficients = nullptr;  // [row][column]: e_ij (l1) or e_ij / D_ij (l2)
  std::int64_t rows = 0;                // of the row block
  std::int64_t columns = 0;             // of the column block
  bool diagonal = false;                // both blocks are the same: only column < row is non-zero
  std::int64_t panels = 0;
  // Per panel: whether a row and a column may share a value there (l1). Equal values are credited
  // half, so that sign(0) = 0; looking for them where there are none is right, only slower.
  const std::uint8_t* ties = nullptr;  // (panels)

  const float* column_values = nullptr;
  float* column_gradient = nullptr;  // not row_gradient, on the diagonal either
  const float* row_values = nullptr;
  float* row_gradient = nullptr;
};

void gradient_tile(const GradientTile& tile);

// Rows of (N, dim) → panels, unused rows and dimensions zero.
void pack_panels(const float* values, std::int64_t dim, const std::int64_t* row_index,
                 std::int64_t rows, float* panels);

// to[i] += from[i]; size: a multiple of kPanelWidth.
void add_floats(const float* from, std::int64_t size, float* to);

}  // namespace lpdm::cpu
