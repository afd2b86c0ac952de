#include "cpu/pairs/distance_store.h"

#include <algorithm>

namespace lpdm::cpu {

namespace {

std::int64_t most_tiles(std::int64_t layers) {
  return DistanceStore::kBudget / (DistanceStore::kTileBytes * std::max<std::int64_t>(1, layers));
}

}  // namespace

bool DistanceStore::fits(const PairLayout& layout, std::int64_t layers) {
  std::int64_t tiles = 0;
  for (std::int64_t strip = 0; strip < layout.kept_blocks(); ++strip) {
    tiles += layout.group_end(strip) - strip;
  }
  return tiles <= most_tiles(layers);
}

std::int64_t DistanceStore::most_rows(std::int64_t layers) {
  std::int64_t blocks = 0;
  while ((blocks + 1) * (blocks + 2) / 2 <= most_tiles(layers)) ++blocks;
  return blocks * kTile;
}

void DistanceStore::arrange(const PairLayout& layout) {
  places_.clear();
  first_tile_.clear();
  first_strip_.clear();
  for (std::int64_t block = 0; block < layout.blocks(); ++block) {
    first_tile_.push_back(tiles());
    first_strip_.push_back(layout.group_begin(block));
    const std::int64_t end = std::min(block + 1, layout.kept_blocks());
    for (std::int64_t strip = layout.group_begin(block); strip < end; ++strip) {
      places_.push_back({.strip = strip, .block = block});
    }
  }
  first_tile_.push_back(tiles());
  memory_.get(tiles() * kTile * kTile);
}

}  // namespace lpdm::cpu
