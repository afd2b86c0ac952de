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
  std::vector<float> task_max(static_cast<std::size_t>(schedule.strips() * schedule.max_tasks()));
  context.pool.parallel_for(
      static_cast<std::int64_t>(task_max.size()), [&](std::int64_t t, int worker) {
        const std::int64_t strip = t / schedule.max_tasks();
        const std::int64_t task = t % schedule.max_tasks();
        if (task >= schedule.tasks(strip)) return;
        alignas(kAlignment) float tile[kTile * kTile];
        float largest = 0.0F;
        for (std::int64_t block = schedule.first_block(strip, task);
             block < schedule.end_block(strip, task); ++block) {
          form(strip, block, worker, tile);
          largest = std::max(
              largest, tile_maximum(tile, layout.block_rows(block), layout.block_kept(strip)));
        }
        task_max[static_cast<std::size_t>(t)] = largest;
      });
  return *std::max_element(task_max.begin(), task_max.end());
}

}  // namespace lpdm::cpu
