#include "cpu/pair_blocks.h"

#include <algorithm>
#include <numeric>

namespace lpdm::cpu {

PairLayout::PairLayout(const PairwiseTarget& target)
    : order_(static_cast<std::size_t>(*target.rows.count)),
      sparse_(target.sparse != SparsePairs::kNone) {
  const std::int64_t half = ceil_div(rows() - 1, 2);
  const std::int64_t quarter = ceil_div(rows() - 1, 4);
  if (target.sparse == SparsePairs::kClosest) closest_ = half;
  if (target.sparse == SparsePairs::kFurthest) furthest_ = half;
  if (target.sparse == SparsePairs::kClosestFurthest) closest_ = furthest_ = quarter;
  kept_ = rows();
  std::iota(order_.begin(), order_.end(), 0);
  if (target.landmarks == nullptr || *target.landmark_count >= rows()) return;
  kept_ = *target.landmark_count;
  std::vector<bool> kept_row(order_.size(), false);
  for (std::int64_t k = 0; k < kept_; ++k) {
    kept_row[static_cast<std::size_t>(target.landmarks[k])] = true;
  }
  std::stable_partition(order_.begin(), order_.end(),
                        [&](std::int64_t row) { return kept_row[static_cast<std::size_t>(row)]; });
}

double PairLayout::entries() const {
  const auto all = static_cast<double>(rows());
  if (sparse_) return all * static_cast<double>(std::min(rows() - 1, closest_ + furthest_));
  const double dropped = all - static_cast<double>(kept_);
  return all * all - dropped * dropped;
}

PackedBlocks::PackedBlocks(Context& context)
    : context_(context), panel_memory_(context.memory), sum_memory_(context.memory) {}

void PackedBlocks::pack(const PairLayout& layout, const float* values, std::int64_t dim) {
  const std::int64_t blocks = layout.blocks();
  dim_ = dim;
  panels_ = panel_memory_.get(blocks * dim * kTile);
  sums_ = sum_memory_.get(blocks * kTile);
  const float* origin = values + *layout.row_index(0) * dim;
  context_.pool.parallel_for(blocks, [&](std::int64_t block, int) {
    float* panel = panels_ + block * dim * kTile;
    float* sums = sums_ + block * kTile;
    const std::int64_t rows = layout.block_rows(block);
    for (std::int64_t r = 0; r < rows; ++r) {
      const float* row = values + layout.row_index(block)[r] * dim;
      for (std::int64_t d = 0; d < dim; ++d) {
        panel[d * kTile + r] = row[d] - origin[d];
      }
    }
    std::fill(sums, sums + kTile, 0.0F);
    for (std::int64_t d = 0; d < dim; ++d) {
      std::fill(panel + d * kTile + rows, panel + (d + 1) * kTile, 0.0F);
      for (std::int64_t r = 0; r < kTile; ++r) sums[r] += panel[d * kTile + r];
    }
  });
}

}  // namespace lpdm::cpu
