#include "cpu/lowrank/lowrank_product.h"

#include <algorithm>
#include <cmath>

#include "core/blas.h"

namespace lpdm::cpu {

namespace {

constexpr std::int64_t kTileSize = LowRankProduct::kSide * LowRankProduct::kSide;

}  // namespace

LowRankProduct::LowRankProduct(Context& context)
    : context_(context), totals_(context.memory), products_(context.memory) {}

void LowRankProduct::clear(std::int64_t columns) {
  columns_ = columns;
  tiles_ = ceil_div(columns, kSide);
  const std::int64_t size = tile_number(0, tiles_) * kTileSize;
  std::fill_n(totals_.get(size), size, 0.0);
  products_.get(context_.pool.size() * kTileSize);
}

void LowRankProduct::add(const float* block, std::int64_t rows, std::int64_t stride) {
  std::vector<std::int64_t> tile_row, tile_column;
  for (std::int64_t column = 0; column < tiles_; ++column) {
    for (std::int64_t row = 0; row <= column; ++row) {
      tile_row.push_back(row);
      tile_column.push_back(column);
    }
  }
  context_.pool.parallel_for(tile_number(0, tiles_), [&](std::int64_t tile, int worker) {
    const std::int64_t i = tile_row[static_cast<std::size_t>(tile)] * kSide;
    const std::int64_t j = tile_column[static_cast<std::size_t>(tile)] * kSide;
    const std::int64_t height = std::min(kSide, columns_ - i);
    const std::int64_t width = std::min(kSide, columns_ - j);
    float* product = products_.data() + worker * kTileSize;
    blas::sgemm(blas::Transpose::kYes, blas::Transpose::kNo, height, width, rows, block + i, stride,
                block + j, stride, 0.0F, product, kSide);
    double* total = totals_.data() + tile * kTileSize;
    for (std::int64_t r = 0; r < height; ++r) {
      for (std::int64_t c = 0; c < width; ++c) total[r * kSide + c] += product[r * kSide + c];
    }
  });
}

double LowRankProduct::at(std::int64_t i, std::int64_t j) const {
  const std::int64_t row = std::min(i, j);
  const std::int64_t column = std::max(i, j);
  return totals_.data()[tile_number(row / kSide, column / kSide) * kTileSize + row % kSide * kSide +
                        column % kSide];
}

double LowRankProduct::squares(std::int64_t first_row, std::int64_t end_row,
                               std::int64_t first_column, std::int64_t end_column) const {
  std::vector<double> sums(static_cast<std::size_t>(std::max<std::int64_t>(end_row - first_row, 0)),
                           0.0);
  context_.pool.parallel_for(static_cast<std::int64_t>(sums.size()), [&](std::int64_t k, int) {
    const std::int64_t i = first_row + k;
    const bool same = first_row == first_column;
    double sum = 0.0;
    // Of a symmetric part each pair of entries once.
    for (std::int64_t j = same ? i : first_column; j < end_column; ++j) {
      const double value = at(i, j);
      sum += (same && j > i ? 2.0 : 1.0) * value * value;
    }
    sums[static_cast<std::size_t>(k)] = sum;
  });
  double total = 0.0;
  for (const double sum : sums) total += sum;
  return total;
}

double LowRankProduct::bytes(double columns, double threads) {
  const double tiles = std::ceil(columns / static_cast<double>(kSide));
  return static_cast<double>(kTileSize) *
         (tiles * (tiles + 1) / 2 * sizeof(double) + threads * sizeof(float));
}

}  // namespace lpdm::cpu
