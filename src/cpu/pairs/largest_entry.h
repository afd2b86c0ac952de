// The largest entry of a matrix over the kept pairs, tile by tile.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "cpu/common/context.h"
#include "cpu/pairs/pair_blocks.h"
#include "cpu/pairs/pair_schedule.h"

namespace lpdm::cpu {

// measure(strip, block, worker): the largest entry of one tile. The largest of all tiles of the
// kept pairs.
template <class Measure>
float largest_of_tiles(Context& context, const PairLayout& layout, const Measure& measure) {
  const PairSchedule schedule(layout);
  const auto tasks = schedule.tasks();
  std::vector<float> task_maximum(tasks.size(), 0.0F);
  context.pool.parallel_for(
      static_cast<std::int64_t>(tasks.size()), [&](std::int64_t t, int worker) {
        float largest = 0.0F;
        tasks[static_cast<std::size_t>(t)].each_tile([&](std::int64_t strip, std::int64_t block) {
          largest = std::max(largest, measure(strip, block, worker));
        });
        task_maximum[static_cast<std::size_t>(t)] = largest;
      });
  return *std::max_element(task_maximum.begin(), task_maximum.end());
}

// form(strip, block, worker, tile) writes the tile between a strip's block (columns) and `block`
// (rows). The largest kept entry, the diagonal included; 0 if none is larger.
template <class Form>
float largest_entry(Context& context, const PairLayout& layout, const Form& form) {
  return largest_of_tiles(context, layout, [&](std::int64_t strip, std::int64_t block, int worker) {
    alignas(kAlignment) float tile[kTile * kTile];
    form(strip, block, worker, tile);
    return tile_maximum(tile, layout.block_rows(block), layout.block_kept(strip));
  });
}

}  // namespace lpdm::cpu
