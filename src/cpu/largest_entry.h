// The largest entry of a matrix over the kept pairs that is formed tile by tile.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "cpu/context.h"
#include "cpu/pair_blocks.h"
#include "cpu/pair_schedule.h"

namespace lpdm::cpu {

// form(strip, block, worker, tile) writes the tile between a strip's block (columns) and `block`
// (rows). The largest kept entry, the diagonal included; 0 if none is larger.
template <class Form>
float largest_entry(Context& context, const PairLayout& layout, const Form& form) {
  const PairSchedule schedule(layout);
  const auto tasks = schedule.tasks();
  std::vector<float> task_maximum(tasks.size(), 0.0F);
  context.pool.parallel_for(static_cast<std::int64_t>(tasks.size()), [&](std::int64_t t,
                                                                         int worker) {
    const auto task = static_cast<std::size_t>(t);
    alignas(kAlignment) float tile[kTile * kTile];
    tasks[task].each_tile([&](std::int64_t strip, std::int64_t block) {
      form(strip, block, worker, tile);
      const float largest = tile_maximum(tile, layout.block_rows(block), layout.block_kept(strip));
      task_maximum[task] = std::max(task_maximum[task], largest);
    });
  });
  return *std::max_element(task_maximum.begin(), task_maximum.end());
}

}  // namespace lpdm::cpu
