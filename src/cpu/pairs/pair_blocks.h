// Rows arranged for pairwise work: which row stands where, and their values by blocks of kTile.
#pragma once

#include <cstdint>
#include <vector>

#include "cpu/common/context.h"
#include "cpu/pairs/level_blocks.h"
#include "cpu/pairs/pairwise_tile.h"
#include "lpdm/ops.h"

namespace lpdm::cpu {

// The order of the rows and which pairs are kept. Row r of a block stands at position
// block · kTile + r; blocks are full but for the last one of their group. A group is a run of
// blocks whose rows make pairs with each other and with no others: the whole batch, or one episode.
//
// With landmarks they come first, so that the kept pairs are those of positions (p, q), p < q, with
// p < kept. Sparse pairs leave the order as it is and keep all pairs in this sense: which of their
// entries count, each row says (PairMask).
class PairLayout {
 public:
  // Throws UsageError for episodes together with landmarks or sparse pairs.
  explicit PairLayout(const PairwiseTarget& target);

  std::int64_t rows() const { return static_cast<std::int64_t>(order_.size()); }
  std::int64_t blocks() const { return static_cast<std::int64_t>(block_first_.size()) - 1; }
  std::int64_t positions() const { return blocks() * kTile; }
  std::int64_t kept_blocks() const { return kept_blocks_; }  // blocks with a kept row

  // The group that a block belongs to, as its first block and one past its last.
  std::int64_t group_begin(std::int64_t block) const { return at(group_begin_, block); }
  std::int64_t group_end(std::int64_t block) const { return at(group_end_, block); }
  std::int64_t longest_group() const { return longest_group_; }  // [blocks]
  // Ordered entries (i, j) of the N×N matrices that count: of kept pairs, the diagonal of kept rows
  // included; with sparse pairs those that the rows keep, without the diagonal.
  double entries() const;

  // With sparse pairs: how many of its first and last other entries a row keeps. An entry may be
  // among both.
  bool sparse() const { return sparse_; }
  std::int64_t closest() const { return closest_; }
  std::int64_t furthest() const { return furthest_; }

  // The batch rows of a block, (block_rows(block)).
  const std::int64_t* row_index(std::int64_t block) const {
    return order_.data() + at(block_first_, block);
  }
  std::int64_t block_rows(std::int64_t block) const {
    return at(block_first_, block + 1) - at(block_first_, block);
  }
  // How many of a block's rows, the first ones, are kept, i.e. have all their pairs kept.
  std::int64_t block_kept(std::int64_t block) const {
    return std::clamp<std::int64_t>(kept_ - at(block_first_, block), 0, block_rows(block));
  }
  bool kept(std::int64_t position) const { return position % kTile < block_kept(position / kTile); }

 private:
  static std::int64_t at(const std::vector<std::int64_t>& list, std::int64_t k) {
    return list[static_cast<std::size_t>(k)];
  }
  // Cuts the rows from where the last group ended to `end` into blocks.
  void add_group(std::int64_t end);
  void add_groups(const PairwiseTarget& target);
  void put_landmarks_first(const PairwiseTarget& target);

  std::vector<std::int64_t> order_;              // all rows, as they stand in the blocks
  std::vector<std::int64_t> block_first_ = {0};  // (blocks + 1), places in order_
  std::vector<std::int64_t> group_begin_;        // (blocks)
  std::vector<std::int64_t> group_end_;          // (blocks)
  std::int64_t longest_group_ = 0;
  double group_entries_ = 0.0;  // Σ rows² of the groups
  std::int64_t kept_ = 0;       // M, or N for all pairs
  std::int64_t kept_blocks_ = 0;
  bool sparse_ = false;
  std::int64_t closest_ = 0;
  std::int64_t furthest_ = 0;
};

// All blocks of one (N, dim) matrix, transposed and relative to the first row of their group, or as
// levels.
class PackedBlocks {
 public:
  explicit PackedBlocks(Context& context);

  // Take up a matrix (N, dim), or a layer's outputs as levels, and make room for the blocks, which
  // are then to be packed.
  void begin(const PairLayout& layout, const float* values, std::int64_t dim);
  void begin_levels(const PairLayout& layout, const LocalLossLayer& layer);
  // In any order, from several threads at once; worker: which of the pool's.
  void pack(const PairLayout& layout, std::int64_t block, int worker);
  void pack_all(const PairLayout& layout);

  std::int64_t dim() const { return dim_; }
  bool in_levels() const { return in_levels_; }
  const LevelBlocks& levels() const { return levels_; }
  BlockPanel panel(std::int64_t block) const {
    if (in_levels_) return {.levels = levels_.block(block)};
    return {.values = panels_ + block * dim_ * kTile, .sums = sums_ + block * kTile, .levels = {}};
  }

 private:
  void pack_floats(const PairLayout& layout, std::int64_t block);

  Context& context_;
  const float* values_ = nullptr;  // (N, dim)
  Scratch<float> panel_memory_;
  Scratch<float> sum_memory_;
  float* panels_ = nullptr;  // (blocks, dim, kTile); padding rows are 0
  float* sums_ = nullptr;    // (blocks, kTile)
  std::int64_t dim_ = 0;
  bool in_levels_ = false;
  LevelBlocks levels_;
};

// A large distance among the kept pairs: repeated sweeps from a row to the row furthest from it,
// from one row in 256, eight at least. Nearly always the maximum, never more than it, and computed
// to the last bit as the tiles compute it. 0 if there are no pairs or all rows are equal.
float furthest_pair(Context& context, const PairLayout& layout, const PackedBlocks& blocks,
                    Metric metric);

// What is to be large: D, or scale · D + g_i + g_j.
struct PairMeasure {
  float scale = 1.0F;
  const float* shifts = nullptr;  // (positions), g; null: D itself
};

// Two rows, as positions, and their measure.
struct FoundPair {
  float distance = 0.0F;
  std::int64_t first = 0;
  std::int64_t second = 0;
};

// The pairs that such sweeps meet in a layout of one group, from 1024 starts: where there is no
// later pass to tell whether the maximum is among them. With no more rows than that it is.
std::vector<FoundPair> furthest_pairs(Context& context, const PairLayout& layout,
                                      const PackedBlocks& blocks, Metric metric,
                                      const PairMeasure& measure);

}  // namespace lpdm::cpu
