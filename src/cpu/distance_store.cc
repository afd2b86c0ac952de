#include "cpu/distance_store.h"

#include <algorithm>

#include "cpu/pair_schedule.h"

namespace lpdm::cpu {

bool DistanceStore::fits(const PairLayout& layout, std::int64_t layers) {
  std::int64_t tiles = 0;
  for (std::int64_t strip = 0; strip < layout.kept_blocks(); ++strip) {
    tiles += layout.group_end(strip) - strip;
  }
  return tiles <= kBudget / (kTileBytes * std::max<std::int64_t>(1, layers));
}

float DistanceStore::fill(const PairLayout& layout, const PackedBlocks& blocks, Metric metric) {
  const PairSchedule schedule(layout);
  first_tile_.clear();
  std::int64_t tiles = 0;
  for (std::int64_t strip = 0; strip < schedule.strips(); ++strip) {
    first_tile_.push_back(tiles);
    tiles += layout.group_end(strip) - strip;
  }
  tiles_ = memory_.get(tiles * kTile * kTile);
  const std::int64_t tasks = schedule.strips() * schedule.max_tasks();
  std::vector<float> task_maximum(static_cast<std::size_t>(tasks), 0.0F);
  context_.pool.parallel_for(tasks, [&](std::int64_t t, int) {
    const std::int64_t strip = t / schedule.max_tasks();
    const std::int64_t task = t % schedule.max_tasks();
    if (task >= schedule.tasks(strip)) return;
    float& largest = task_maximum[static_cast<std::size_t>(t)];
    for (std::int64_t block = schedule.first_block(strip, task);
         block < schedule.end_block(strip, task); ++block) {
      const std::int64_t rows = layout.block_rows(block);
      float* tile = at(strip, block);
      distance_tile(metric, blocks.panel(block), rows, blocks.panel(strip), blocks.dim(), tile,
                    block == strip);
      largest =
          std::max(largest, tile_maximum(tile, rows, layout.block_kept(strip), block == strip));
    }
  });
  return *std::max_element(task_maximum.begin(), task_maximum.end());
}

}  // namespace lpdm::cpu
