#include "cpu/distance_store.h"

#include <algorithm>

#include "cpu/largest_entry.h"

namespace lpdm::cpu {

bool DistanceStore::fits(const PairLayout& layout, std::int64_t layers) {
  std::int64_t tiles = 0;
  for (std::int64_t strip = 0; strip < layout.kept_blocks(); ++strip) {
    tiles += layout.group_end(strip) - strip;
  }
  return tiles <= kBudget / (kTileBytes * std::max<std::int64_t>(1, layers));
}

float DistanceStore::fill(const PairLayout& layout, const PackedBlocks& blocks, Metric metric) {
  first_tile_.clear();
  std::int64_t tiles = 0;
  for (std::int64_t strip = 0; strip < layout.kept_blocks(); ++strip) {
    first_tile_.push_back(tiles);
    tiles += layout.group_end(strip) - strip;
  }
  tiles_ = memory_.get(tiles * kTile * kTile);
  return largest_of_tiles(context_, layout, [&](std::int64_t strip, std::int64_t block, int) {
    const std::int64_t rows = layout.block_rows(block);
    const bool diagonal = block == strip;
    float* tile = at(strip, block);
    distance_tile(metric, blocks.panel(block), rows, blocks.panel(strip), blocks.dim(), tile,
                  diagonal);
    return tile_maximum(tile, rows, layout.block_kept(strip), kTile, diagonal);
  });
}

}  // namespace lpdm::cpu
