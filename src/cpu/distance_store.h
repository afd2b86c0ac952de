// Room for one matrix tile per pair of blocks, within a fixed budget: the distances of all kept
// pairs, and later what the gradient makes of them.
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

  explicit DistanceStore(Context& context) : memory_(context.memory) {}

  // Whether so many layers' tiles are within the budget.
  static bool fits(const PairLayout& layout, std::int64_t layers);

  // Makes room for the tiles between each strip and the blocks from it on.
  void reserve(const PairLayout& layout);

  std::int64_t tiles() const { return tiles_; }
  // The number of the tile between a strip and a block.
  std::int64_t number(std::int64_t strip, std::int64_t block) const {
    return first_tile_[static_cast<std::size_t>(strip)] + block - strip;
  }
  // (kTile, kTile): [row of the block][column of the strip]
  float* tile(std::int64_t number) const { return memory_.data() + number * kTile * kTile; }

 private:
  Scratch<float> memory_;
  std::int64_t tiles_ = 0;
  std::vector<std::int64_t> first_tile_;  // (strips)
};

}  // namespace lpdm::cpu
