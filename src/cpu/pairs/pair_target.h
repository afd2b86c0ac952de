// What a pass over the pairs reads on a tile before any layer: T of the network input, and the
// weights of sparse pairs.
#pragma once

#include <cstdint>

#include "cpu/common/context.h"
#include "cpu/pairs/input_target.h"
#include "cpu/pairs/pair_mask.h"
#include "cpu/pairs/pair_tile.h"
#include "lpdm/ops.h"

namespace lpdm::cpu {

class PairTarget {
 public:
  explicit PairTarget(Context& context) : input_(context), mask_(context) {}

  // op and layout must outlive the use of the target.
  void prepare(const LocalLoss& op, const PairLayout& layout);

  // Between a strip's block (columns) and `block` (rows): tile.target and, where there is room for
  // them, tile.weights and tile.input_distances. From several threads at once.
  void form(std::int64_t strip, std::int64_t block, PairTile& tile) const;

  InputTarget& input() { return input_; }

 private:
  const LocalLoss* op_ = nullptr;
  const PairLayout* layout_ = nullptr;
  InputTarget input_;
  PairMask mask_;
};

}  // namespace lpdm::cpu
