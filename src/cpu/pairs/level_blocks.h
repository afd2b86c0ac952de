// All blocks of a layer's outputs as levels, arranged for pairwise work.
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>

#include "cpu/common/context.h"
#include "cpu/pairs/level_distance.h"
#include "cpu/pairs/levels.h"
#include "cpu/pairs/pairwise_tile.h"

namespace lpdm::cpu {

class PairLayout;

class LevelBlocks {
 public:
  explicit LevelBlocks(Context& context);

  // Takes up a layer's outputs and makes room for the blocks.
  void begin(const PairLayout& layout, const LocalLossLayer& layer);
  // In any order, from several threads at once; worker: which of the pool's.
  void pack(const PairLayout& layout, std::int64_t block, int worker);

  // Distances made of it are NaN if an output of the layer is not finite.
  LevelBlock block(std::int64_t block) const {
    return {words_.data() + block * level_words_of(dim_) * kTile, sums_.data() + block * kTile,
            finite_ ? kLevelStep : std::numeric_limits<float>::quiet_NaN()};
  }
  // (level panels, kTile, kLevelPanelWidth)
  const std::int16_t* panels(std::int64_t block) const {
    return panels_.data() + block * level_panels_of(dim_) * kLevelPanelWidth * kTile;
  }

 private:
  Context& context_;
  const float* output_ = nullptr;  // (N, dim)
  std::int64_t dim_ = 0;
  std::atomic<bool> finite_ = true;
  Scratch<std::int16_t> rows_;    // (workers, kTile, level panels, kLevelPanelWidth)
  Scratch<std::int32_t> words_;   // (blocks, words, kTile)
  Scratch<std::int32_t> sums_;    // (blocks, kTile)
  Scratch<std::int16_t> panels_;  // (blocks, level panels, kTile, kLevelPanelWidth)
};

}  // namespace lpdm::cpu
