#include "cpu/pairs/level_blocks.h"

#include <algorithm>

#include "cpu/pairs/pair_blocks.h"

namespace lpdm::cpu {

LevelBlocks::LevelBlocks(Context& context)
    : context_(context),
      rows_(context.memory),
      words_(context.memory),
      sums_(context.memory),
      panels_(context.memory) {}

void LevelBlocks::begin(const PairLayout& layout, const LocalLossLayer& layer) {
  output_ = layer.output;
  dim_ = layer.out;
  finite_ = true;
  const std::int64_t pitch = level_panels_of(dim_) * kLevelPanelWidth;
  rows_.get(context_.pool.size() * kTile * pitch);
  words_.get(layout.positions() * level_words_of(dim_));
  sums_.get(layout.positions());
  panels_.get(layout.positions() * pitch);
}

void LevelBlocks::pack(const PairLayout& layout, std::int64_t block, int worker) {
  const std::int64_t pitch = level_panels_of(dim_) * kLevelPanelWidth;
  std::int16_t* rows = rows_.data() + worker * kTile * pitch;
  std::int32_t* sums = sums_.data() + block * kTile;
  const std::int64_t count = layout.block_rows(block);
  for (std::int64_t r = 0; r < count; ++r) {
    const float* output = output_ + layout.row_index(block)[r] * dim_;
    if (!to_levels(output, 1, dim_, pitch, rows + r * pitch, sums + r)) finite_ = false;
  }
  std::fill(rows + count * pitch, rows + kTile * pitch, std::int16_t{0});
  std::fill(sums + count, sums + kTile, 0);
  transpose_words(rows, kTile, pitch, level_words_of(dim_),
                  words_.data() + block * level_words_of(dim_) * kTile);
  std::int16_t* panels = panels_.data() + block * pitch * kTile;
  for (std::int64_t d = 0; d < pitch; d += kLevelPanelWidth) {
    for (std::int64_t r = 0; r < kTile; ++r) {
      std::copy_n(rows + r * pitch + d, kLevelPanelWidth,
                  panels + d * kTile + r * kLevelPanelWidth);
    }
  }
}

}  // namespace lpdm::cpu
