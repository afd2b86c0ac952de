// The network input's side of the local loss: tiles of D_X and of the target T made from distances.
#pragma once

#include <cstdint>
#include <vector>

#include "cpu/common/context.h"
#include "cpu/pairs/pair_blocks.h"
#include "lpdm/ops.h"

namespace lpdm::cpu {

class InputTarget {
 public:
  explicit InputTarget(Context& context);

  // Packs the input. `layout` and `target`'s arrays must outlive the use of the tiles.
  void prepare(const PairLayout& layout, const PairwiseTarget& target);

  // tile: D_X between a strip's block (columns) and `block` (rows).
  void distances(std::int64_t strip, std::int64_t block, float* tile) const;

  // tile: distances → T, in place; the shifts are the guidance's, if there is one.
  void normalize(std::int64_t strip, std::int64_t block, const TargetScales& scales,
                 float* tile) const;

 private:
  const PairLayout* layout_ = nullptr;
  Metric metric_ = Metric::kL1;
  PackedBlocks blocks_;
  std::vector<float> shifts_;  // by position, padded to whole blocks; empty: unguided
};

}  // namespace lpdm::cpu
