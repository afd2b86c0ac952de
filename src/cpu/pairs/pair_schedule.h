// How the kept pairs are cut into tasks. Depends on sizes only, never on the number of threads.
//
// The tasks of one round touch disjoint blocks and run at once; rounds run one after another. So a
// task adds straight to the gradients of both its blocks, and each block gets its parts in an order
// that never changes.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "cpu/pairs/pair_blocks.h"

namespace lpdm::cpu {

// Blocks [first, end).
struct BlockRange {
  std::int64_t first = 0;
  std::int64_t end = 0;
};

// The tiles between each of the strips (columns), which are kept blocks, and those of the blocks
// (rows) that do not come before it.
struct PairTask {
  BlockRange strips;
  BlockRange blocks;

  // run(strip, block)
  template <class Run>
  void each_tile(const Run& run) const {
    for (std::int64_t strip = strips.first; strip < strips.end; ++strip) {
      for (std::int64_t block = std::max(strip, blocks.first); block < blocks.end; ++block) {
        run(strip, block);
      }
    }
  }
};

// run(strip, block) for every tile, a few strips and a few blocks at a time: what is read and
// written of them stays in the cache meanwhile.
template <class Run>
void for_tiles_nearby(const PairLayout& layout, const Run& run) {
  constexpr std::int64_t kAtOnce = 4;
  for (std::int64_t strips = 0; strips < layout.kept_blocks(); strips += kAtOnce) {
    const std::int64_t strips_end = std::min(strips + kAtOnce, layout.kept_blocks());
    const std::int64_t blocks_end = layout.group_end(strips_end - 1);
    for (std::int64_t blocks = strips; blocks < blocks_end; blocks += kAtOnce) {
      for (std::int64_t strip = strips; strip < strips_end; ++strip) {
        const std::int64_t end = std::min(blocks + kAtOnce, layout.group_end(strip));
        for (std::int64_t block = std::max(strip, blocks); block < end; ++block) run(strip, block);
      }
    }
  }
}

class PairSchedule {
 public:
  explicit PairSchedule(const PairLayout& layout);

  std::int64_t rounds() const { return static_cast<std::int64_t>(round_begin_.size()) - 1; }
  std::span<const PairTask> round(std::int64_t r) const {
    const auto at = static_cast<std::size_t>(r);
    return std::span(tasks_).subspan(round_begin_[at], round_begin_[at + 1] - round_begin_[at]);
  }
  // All rounds' tasks, for what need not be kept apart.
  std::span<const PairTask> tasks() const { return tasks_; }

 private:
  std::vector<PairTask> tasks_;
  std::vector<std::size_t> round_begin_;  // (rounds + 1)
};

}  // namespace lpdm::cpu
