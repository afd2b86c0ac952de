#include "cpu/distance_store.h"

#include <algorithm>

namespace lpdm::cpu {

bool DistanceStore::fits(const PairLayout& layout, std::int64_t layers) {
  std::int64_t tiles = 0;
  for (std::int64_t strip = 0; strip < layout.kept_blocks(); ++strip) {
    tiles += layout.group_end(strip) - strip;
  }
  return tiles <= kBudget / (kTileBytes * std::max<std::int64_t>(1, layers));
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
