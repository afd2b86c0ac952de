#include "cpu/pairs/pair_target.h"

#include <algorithm>

namespace lpdm::cpu {

void PairTarget::prepare(const LocalLoss& op, const PairLayout& layout) {
  op_ = &op;
  layout_ = &layout;
  input_.prepare(layout, op.target);
  if (layout.sparse()) mask_.build(layout, input_, *op.scales);
}

void PairTarget::form(std::int64_t strip, std::int64_t block, PairTile& tile) const {
  input_.distances(strip, block, tile.target);
  if (tile.input_distances != nullptr) {
    std::copy_n(tile.target, layout_->block_rows(block) * kTile, tile.input_distances);
  }
  input_.normalize(strip, block, *op_->scales, tile.target);
  if (tile.weights != nullptr) mask_.weigh(strip, block, tile.target, tile.weights);
}

}  // namespace lpdm::cpu
