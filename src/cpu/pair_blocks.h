// Rows arranged for pairwise work: which row stands where, and their values by blocks of kTile.
#pragma once

#include <cstdint>
#include <vector>

#include "cpu/context.h"
#include "cpu/pairwise_tile.h"
#include "lpdm/ops.h"

namespace lpdm::cpu {

// The order of the rows and which pairs are kept. With landmarks they come first, so that the kept
// pairs are those of positions (p, q), p < q, with p < kept. Sparse pairs leave the order as it is
// and keep all pairs in this sense: which of their entries count, each row says (PairMask).
class PairLayout {
 public:
  explicit PairLayout(const PairwiseTarget& target);

  std::int64_t rows() const { return static_cast<std::int64_t>(order_.size()); }
  std::int64_t blocks() const { return ceil_div(rows(), kTile); }
  std::int64_t kept() const { return kept_; }  // M, or N for all pairs
  std::int64_t kept_blocks() const { return ceil_div(kept_, kTile); }
  // Ordered entries (i, j) of the N×N matrices that count: of kept pairs, the diagonal of kept rows
  // included; with sparse pairs those that the rows keep, without the diagonal.
  double entries() const;

  // With sparse pairs: how many of its first and last other entries a row keeps. An entry may be
  // among both.
  bool sparse() const { return sparse_; }
  std::int64_t closest() const { return closest_; }
  std::int64_t furthest() const { return furthest_; }

  // The batch rows of a block, (block_rows(block)).
  const std::int64_t* row_index(std::int64_t block) const { return order_.data() + block * kTile; }
  std::int64_t block_rows(std::int64_t block) const {
    return std::min(kTile, rows() - block * kTile);
  }
  // How many of a block's rows are kept, i.e. have all their pairs kept.
  std::int64_t block_kept(std::int64_t block) const {
    return std::clamp<std::int64_t>(kept_ - block * kTile, 0, kTile);
  }

 private:
  std::vector<std::int64_t> order_;  // position → row
  std::int64_t kept_ = 0;
  bool sparse_ = false;
  std::int64_t closest_ = 0;
  std::int64_t furthest_ = 0;
};

// All blocks of one (N, dim) matrix, transposed and relative to the first row of the layout.
class PackedBlocks {
 public:
  explicit PackedBlocks(Context& context);

  void pack(const PairLayout& layout, const float* values, std::int64_t dim);

  std::int64_t dim() const { return dim_; }
  BlockPanel panel(std::int64_t block) const {
    return {panels_ + block * dim_ * kTile, sums_ + block * kTile};
  }

 private:
  Context& context_;
  Scratch<float> panel_memory_;
  Scratch<float> sum_memory_;
  float* panels_ = nullptr;  // (blocks, dim, kTile); padding rows are 0
  float* sums_ = nullptr;    // (blocks, kTile)
  std::int64_t dim_ = 0;
};

// A large distance among the kept pairs, in O(N·dim): repeated sweeps from a row to the row
// furthest from it, from several starts. Nearly always the maximum, never more than it, and
// computed to the last bit as the tiles compute it. 0 if there are no pairs or all rows are equal.
float furthest_pair(Context& context, const PairLayout& layout, const PackedBlocks& blocks,
                    Metric metric);

}  // namespace lpdm::cpu
