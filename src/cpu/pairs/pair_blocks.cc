#include "cpu/pairs/pair_blocks.h"

#include <algorithm>
#include <numeric>

#include "lpdm/error.h"

namespace lpdm::cpu {

PairLayout::PairLayout(const PairwiseTarget& target)
    : order_(static_cast<std::size_t>(*target.rows.count)),
      kept_(rows()),
      sparse_(target.sparse != SparsePairs::kNone) {
  const std::int64_t half = ceil_div(rows() - 1, 2);
  const std::int64_t quarter = ceil_div(rows() - 1, 4);
  if (target.sparse == SparsePairs::kClosest) closest_ = half;
  if (target.sparse == SparsePairs::kFurthest) furthest_ = half;
  if (target.sparse == SparsePairs::kClosestFurthest) closest_ = furthest_ = quarter;
  std::iota(order_.begin(), order_.end(), 0);
  put_landmarks_first(target);
  add_groups(target);
}

void PairLayout::put_landmarks_first(const PairwiseTarget& target) {
  if (target.landmarks == nullptr || *target.landmark_count >= rows()) return;
  kept_ = *target.landmark_count;
  std::vector<bool> kept_row(order_.size(), false);
  for (std::int64_t k = 0; k < kept_; ++k) {
    kept_row[static_cast<std::size_t>(target.landmarks[k])] = true;
  }
  std::stable_partition(order_.begin(), order_.end(),
                        [&](std::int64_t row) { return kept_row[static_cast<std::size_t>(row)]; });
}

void PairLayout::add_groups(const PairwiseTarget& target) {
  if (target.episode_ends == nullptr) {
    add_group(rows());
  } else {
    if (sparse_ || target.landmarks != nullptr) {
      throw UsageError(
          "hidden.block episode was asked for together with landmarks or sparse pairs; set "
          "hidden.pairs to all or hidden.block to batch");
    }
    for (std::int64_t episode = 0; episode < *target.episode_count; ++episode) {
      add_group(target.episode_ends[episode]);
    }
  }
  kept_blocks_ = blocks();
  while (kept_blocks_ > 0 && block_kept(kept_blocks_ - 1) == 0) --kept_blocks_;
}

void PairLayout::add_group(std::int64_t end) {
  const std::int64_t first = block_first_.back();
  const std::int64_t first_block = blocks();
  const std::int64_t new_blocks = ceil_div(end - first, kTile);
  for (std::int64_t k = 1; k <= new_blocks; ++k) {
    block_first_.push_back(std::min(end, first + k * kTile));
    group_begin_.push_back(first_block);
    group_end_.push_back(first_block + new_blocks);
  }
  longest_group_ = std::max(longest_group_, new_blocks);
  group_entries_ += static_cast<double>(end - first) * static_cast<double>(end - first);
}

double PairLayout::entries() const {
  const auto all = static_cast<double>(rows());
  if (sparse_) return all * static_cast<double>(std::min(rows() - 1, closest_ + furthest_));
  const double dropped = all - static_cast<double>(kept_);
  return group_entries_ - dropped * dropped;
}

PackedBlocks::PackedBlocks(Context& context)
    : context_(context),
      panel_memory_(context.memory),
      sum_memory_(context.memory),
      levels_(context) {}

void PackedBlocks::begin(const PairLayout& layout, const float* values, std::int64_t dim) {
  in_levels_ = false;
  values_ = values;
  dim_ = dim;
  panels_ = panel_memory_.get(layout.blocks() * dim * kTile);
  sums_ = sum_memory_.get(layout.blocks() * kTile);
}

void PackedBlocks::begin_levels(const PairLayout& layout, const LocalLossLayer& layer) {
  in_levels_ = true;
  dim_ = layer.out;
  levels_.begin(layout, layer);
}

void PackedBlocks::pack(const PairLayout& layout, std::int64_t block, int worker) {
  if (in_levels_) {
    levels_.pack(layout, block, worker);
  } else {
    pack_floats(layout, block);
  }
}

void PackedBlocks::pack_all(const PairLayout& layout) {
  context_.pool.parallel_for(layout.blocks(),
                             [&](std::int64_t block, int worker) { pack(layout, block, worker); });
}

void PackedBlocks::pack_floats(const PairLayout& layout, std::int64_t block) {
  // Of a row before the next: what is written of them all stays in the L1 cache meanwhile.
  constexpr std::int64_t kDimsAtOnce = 16;
  float* panel = panels_ + block * dim_ * kTile;
  float* sums = sums_ + block * kTile;
  const std::int64_t rows = layout.block_rows(block);
  const float* origin = values_ + *layout.row_index(layout.group_begin(block)) * dim_;
  std::fill(sums, sums + kTile, 0.0F);
  for (std::int64_t first = 0; first < dim_; first += kDimsAtOnce) {
    const std::int64_t end = std::min(dim_, first + kDimsAtOnce);
    for (std::int64_t r = 0; r < rows; ++r) {
      const float* row = values_ + layout.row_index(block)[r] * dim_;
      for (std::int64_t d = first; d < end; ++d) panel[d * kTile + r] = row[d] - origin[d];
    }
    for (std::int64_t d = first; d < end; ++d) {
      std::fill(panel + d * kTile + rows, panel + (d + 1) * kTile, 0.0F);
      for (std::int64_t r = 0; r < kTile; ++r) sums[r] += panel[d * kTile + r];
    }
  }
}

}  // namespace lpdm::cpu
