// All blocks of a layer's outputs as levels, arranged for pairwise work.
#pragma once

#include <cstdint>

#include "cpu/context.h"
#include "cpu/level_distance.h"
#include "cpu/levels.h"
#include "cpu/pairwise_tile.h"

namespace lpdm::cpu {

class PairLayout;

class LevelBlocks {
 public:
  explicit LevelBlocks(Context& context);

  void pack(const PairLayout& layout, const LocalLossLayer& layer);

  // Distances made of it are NaN if an output of the layer is not finite.
  LevelBlock block(std::int64_t block) const {
    return {words_.data() + block * level_words_of(dim_) * kTile, sums_.data() + block * kTile,
            step_};
  }
  // (level panels, kTile, kLevelPanelWidth)
  const std::int16_t* panels(std::int64_t block) const {
    return panels_.data() + block * level_panels_of(dim_) * kLevelPanelWidth * kTile;
  }

 private:
  void transpose(const std::int16_t* rows, std::int64_t pitch, std::int64_t block);

  Context& context_;
  std::int64_t dim_ = 0;
  float step_ = 0.0F;
  Scratch<std::int16_t> rows_;    // (workers, kTile, level panels, kLevelPanelWidth)
  Scratch<std::int32_t> words_;   // (blocks, words, kTile)
  Scratch<std::int32_t> sums_;    // (blocks, kTile)
  Scratch<std::int16_t> panels_;  // (blocks, level panels, kTile, kLevelPanelWidth)
};

}  // namespace lpdm::cpu
