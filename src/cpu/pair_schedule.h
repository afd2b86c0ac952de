// How the kept pairs are cut into tasks. Depends on sizes only, never on the number of threads.
#pragma once

#include <algorithm>
#include <cstdint>

#include "cpu/pair_blocks.h"

namespace lpdm::cpu {

// A strip holds the tiles between one kept block and every block from it to the end of its group.
// Strips run one after another; a strip's tasks touch disjoint row blocks and run at once. Few
// tasks per strip bound the memory of their partial sums for the strip's own block: kTasksPerStrip
// · kTile rows.
class PairSchedule {
 public:
  explicit PairSchedule(const PairLayout& layout)
      : layout_(&layout),
        blocks_per_task_(
            std::max<std::int64_t>(1, ceil_div(layout.longest_group(), kTasksPerStrip))) {}

  std::int64_t strips() const { return layout_->kept_blocks(); }
  std::int64_t tasks(std::int64_t strip) const {
    return ceil_div(layout_->group_end(strip) - strip, blocks_per_task_);
  }
  std::int64_t max_tasks() const { return ceil_div(layout_->longest_group(), blocks_per_task_); }
  std::int64_t first_block(std::int64_t strip, std::int64_t task) const {
    return strip + task * blocks_per_task_;
  }
  std::int64_t end_block(std::int64_t strip, std::int64_t task) const {
    return std::min(layout_->group_end(strip), first_block(strip, task) + blocks_per_task_);
  }

 private:
  static constexpr std::int64_t kTasksPerStrip = 32;

  const PairLayout* layout_;
  std::int64_t blocks_per_task_;
};

}  // namespace lpdm::cpu
