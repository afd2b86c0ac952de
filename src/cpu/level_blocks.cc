#include "cpu/level_blocks.h"

#include <algorithm>
#include <cstring>

#include "cpu/pair_blocks.h"

namespace lpdm::cpu {

LevelBlocks::LevelBlocks(Context& context)
    : context_(context),
      rows_(context.memory),
      words_(context.memory),
      sums_(context.memory),
      panels_(context.memory) {}

void LevelBlocks::begin(const PairLayout& layout, const LocalLossLayer& layer) {
  layout_ = &layout;
  output_ = layer.output;
  dim_ = layer.out;
  finite_ = true;
  const std::int64_t pitch = level_panels_of(dim_) * kLevelPanelWidth;
  rows_.get(context_.pool.size() * kTile * pitch);
  words_.get(layout.positions() * level_words_of(dim_));
  sums_.get(layout.positions());
  panels_.get(layout.positions() * pitch);
}

void LevelBlocks::pack(std::int64_t block, int worker) {
  const std::int64_t pitch = level_panels_of(dim_) * kLevelPanelWidth;
  std::int16_t* rows = rows_.data() + worker * kTile * pitch;
  std::int32_t* sums = sums_.data() + block * kTile;
  const std::int64_t count = layout_->block_rows(block);
  for (std::int64_t r = 0; r < count; ++r) {
    const float* output = output_ + layout_->row_index(block)[r] * dim_;
    if (!to_levels(output, 1, dim_, pitch, rows + r * pitch, sums + r)) finite_ = false;
  }
  std::fill(rows + count * pitch, rows + kTile * pitch, std::int16_t{0});
  std::fill(sums + count, sums + kTile, 0);
  transpose(rows, pitch, block);
}

// A block's rows (kTile, pitch) → its words and panels.
void LevelBlocks::transpose(const std::int16_t* rows, std::int64_t pitch, std::int64_t block) {
  constexpr std::int64_t kWordsPerPanel = kLevelPanelWidth / 2;
  const std::int64_t words = level_words_of(dim_);
  std::int32_t* to_words = words_.data() + block * words * kTile;
  std::int16_t* to_panels = panels_.data() + block * pitch * kTile;
  // Of a row before the next: what is written of them all stays in the L1 cache meanwhile.
  for (std::int64_t p = 0; p < level_panels_of(dim_); ++p) {
    const std::int64_t first = p * kWordsPerPanel;
    const std::int64_t count = std::min(kWordsPerPanel, words - first);
    for (std::int64_t r = 0; r < kTile; ++r) {
      const std::int16_t* from = rows + r * pitch + p * kLevelPanelWidth;
      std::copy_n(from, kLevelPanelWidth, to_panels + (p * kTile + r) * kLevelPanelWidth);
      std::int32_t of_row[kWordsPerPanel];
      std::memcpy(of_row, from, sizeof(of_row));
      for (std::int64_t w = 0; w < count; ++w) to_words[(first + w) * kTile + r] = of_row[w];
    }
  }
}

}  // namespace lpdm::cpu
