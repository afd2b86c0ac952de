// Room for one matrix tile per pair of blocks, within a fixed budget: the distances of all kept
// pairs, and later what the gradient makes of them.
//
// Tiles are numbered block by block, so that more blocks add tiles and move none.
#pragma once

#include <cstdint>
#include <vector>

#include "cpu/common/context.h"
#include "cpu/pairs/pair_blocks.h"
#include "cpu/pairs/pair_tile.h"
#include "cpu/pairs/pairwise_tile.h"

namespace lpdm::cpu {

class DistanceStore {
 public:
  static constexpr std::int64_t kTileBytes = kTile * kTile * sizeof(float);
  static constexpr std::int64_t kBudget = std::int64_t{96} << 20;  // [bytes], all layers together

  explicit DistanceStore(Context& context) : memory_(context.memory) {}

  // Whether so many layers' tiles are within the budget.
  static bool fits(const PairLayout& layout, std::int64_t layers);
  // The most rows of which all pairs' tiles are.
  static std::int64_t most_rows(std::int64_t layers);

  // Makes room for the tiles between each strip and the blocks from it on. Those of a shorter
  // layout of the same rows stay where they are.
  void arrange(const PairLayout& layout);

  std::int64_t tiles() const { return static_cast<std::int64_t>(places_.size()); }
  // The first tile of a block; tiles() beyond the last block.
  std::int64_t first_tile(std::int64_t block) const { return at(first_tile_, block); }
  // The number of the tile between a strip and a block.
  std::int64_t number(std::int64_t strip, std::int64_t block) const {
    return at(first_tile_, block) + strip - at(first_strip_, block);
  }
  TilePlace place(std::int64_t number) const { return places_[static_cast<std::size_t>(number)]; }
  // (kTile, kTile): [row of the block][column of the strip]
  float* tile(std::int64_t number) const { return memory_.data() + number * kTile * kTile; }

 private:
  static std::int64_t at(const std::vector<std::int64_t>& list, std::int64_t k) {
    return list[static_cast<std::size_t>(k)];
  }

  Scratch<float> memory_;
  std::vector<TilePlace> places_;          // (tiles)
  std::vector<std::int64_t> first_tile_;   // (blocks + 1)
  std::vector<std::int64_t> first_strip_;  // (blocks), that a block has a tile with
};

}  // namespace lpdm::cpu
