// M = Uᵀ U of a matrix U that comes in blocks of rows, summed in float64.
//
// Only tiles on and above the diagonal are formed. A task owns a tile and adds the blocks in their
// order, so the result does not depend on the number of threads.
#pragma once

#include <cstdint>
#include <vector>

#include "cpu/common/context.h"

namespace lpdm::cpu {

class LowRankProduct {
 public:
  static constexpr std::int64_t kSide = 256;  // columns of a tile

  explicit LowRankProduct(Context& context);

  void clear(std::int64_t columns);
  // Adds blockᵀ block; block: (rows, columns), rows `stride` apart.
  void add(const float* block, std::int64_t rows, std::int64_t stride);

  double at(std::int64_t i, std::int64_t j) const;
  // Σ M[i][j]² over i in [first_row, end_row) and j in [first_column, end_column), which must be
  // the same range or lie wholly behind it.
  double squares(std::int64_t first_row, std::int64_t end_row, std::int64_t first_column,
                 std::int64_t end_column) const;

  // [bytes] for so many columns.
  static double bytes(double columns, double threads);

 private:
  static std::int64_t tile_number(std::int64_t row, std::int64_t column) {
    return column * (column + 1) / 2 + row;
  }

  Context& context_;
  std::int64_t columns_ = 0;
  std::int64_t tiles_ = 0;   // along one side
  Scratch<double> totals_;   // (tiles (tiles + 1)/2, kSide, kSide)
  Scratch<float> products_;  // (workers, kSide, kSide)
};

}  // namespace lpdm::cpu
