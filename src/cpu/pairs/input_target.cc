#include "cpu/pairs/input_target.h"

#include "cpu/pairs/pairwise_error.h"

namespace lpdm::cpu {

InputTarget::InputTarget(Context& context) : blocks_(context) {}

void InputTarget::prepare(const PairLayout& layout, const PairwiseTarget& target) {
  layout_ = &layout;
  metric_ = target.metric;
  blocks_.begin(layout, target.input, target.dim);
  blocks_.pack_all(layout);
  shifts_.clear();
  if (target.shift == nullptr) return;
  shifts_.resize(static_cast<std::size_t>(layout.positions()), 0.0F);
  for (std::int64_t block = 0; block < layout.blocks(); ++block) {
    for (std::int64_t r = 0; r < layout.block_rows(block); ++r) {
      shifts_[static_cast<std::size_t>(block * kTile + r)] =
          target.shift[layout.row_index(block)[r]];
    }
  }
}

void InputTarget::distances(std::int64_t strip, std::int64_t block, float* tile) const {
  distance_tile(metric_, blocks_.panel(block), layout_->block_rows(block), blocks_.panel(strip),
                blocks_.dim(), tile);
}

void InputTarget::normalize(std::int64_t strip, std::int64_t block, const TargetScales& scales,
                            float* tile) const {
  target_tile({.rows = layout_->block_rows(block),
               .input_scale = static_cast<float>(scales.input_scale),
               .target_scale = static_cast<float>(scales.target_scale),
               .row_shift = shifts_.empty() ? nullptr : shifts_.data() + block * kTile,
               .column_shift = shifts_.empty() ? nullptr : shifts_.data() + strip * kTile,
               .distances = tile});
}

}  // namespace lpdm::cpu
