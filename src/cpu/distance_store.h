// The distances of all kept pairs, kept from the search for their maximum until the gradient uses
// them: where they fit a fixed budget, each is worked out once and the maximum is known beforehand.
#pragma once

#include <cstdint>
#include <vector>

#include "cpu/context.h"
#include "cpu/pair_blocks.h"
#include "cpu/pairwise_tile.h"

namespace lpdm::cpu {

class DistanceStore {
 public:
  static constexpr std::int64_t kTileBytes = kTile * kTile * sizeof(float);
  static constexpr std::int64_t kBudget = std::int64_t{96} << 20;  // [bytes], all layers together

  explicit DistanceStore(Context& context) : context_(context), memory_(context.memory) {}

  // Whether so many layers' tiles are within the budget.
  static bool fits(const PairLayout& layout, std::int64_t layers);

  // Forms the tiles between each strip's block (columns) and the blocks from it on (rows); of those
  // on the diagonal the lower half. Returns the largest distance, 0 if there are no pairs.
  float fill(const PairLayout& layout, const PackedBlocks& blocks, Metric metric);
  void clear() { tiles_ = nullptr; }

  bool empty() const { return tiles_ == nullptr; }
  const float* tile(std::int64_t strip, std::int64_t block) const { return at(strip, block); }

 private:
  float* at(std::int64_t strip, std::int64_t block) const {
    return tiles_ + (first_tile_[static_cast<std::size_t>(strip)] + block - strip) * kTile * kTile;
  }

  Context& context_;
  Scratch<float> memory_;
  float* tiles_ = nullptr;                // (tiles, kTile, kTile)
  std::vector<std::int64_t> first_tile_;  // (strips)
};

}  // namespace lpdm::cpu
