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

void DistanceStore::reserve(const PairLayout& layout) {
  first_tile_.clear();
  tiles_ = 0;
  for (std::int64_t strip = 0; strip < layout.kept_blocks(); ++strip) {
    first_tile_.push_back(tiles_);
    tiles_ += layout.group_end(strip) - strip;
  }
  memory_.get(tiles_ * kTile * kTile);
}

}  // namespace lpdm::cpu
