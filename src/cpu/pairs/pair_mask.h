// Sparse pairs: which entries of E count, by their rank within their row of T.
//
// Row i ranks its other entries by (T, column) and keeps the first few, the last few, or both. Two
// entries of T per row say all of it, so the mask takes O(N) memory and is formed tile by tile.
#pragma once

#include <cstdint>
#include <vector>

#include "cpu/common/context.h"
#include "cpu/pairs/input_target.h"
#include "cpu/pairs/pair_blocks.h"
#include "lpdm/ops.h"

namespace lpdm::cpu {

class PairMask {
 public:
  explicit PairMask(Context& context);

  // Ranks every row of T. Needs O(64 · N) scratch for each worker.
  void build(const PairLayout& layout, const InputTarget& input, const TargetScales& scales);

  // weights: for each pair of the tile between a strip's block (columns) and `block` (rows), half
  // the number of its two entries that are kept: 0, ½ or 1, and 0 on the diagonal. target: T there,
  // to the last bit as build saw it.
  void weigh(std::int64_t strip, std::int64_t block, const float* target, float* weights) const;

 private:
  // The last of the first entries, or the first of the last entries, that each row keeps.
  struct Limits {
    std::vector<float> values;          // (N) padded to whole blocks
    std::vector<std::int64_t> columns;  // the same

    void reset(std::int64_t size, float nothing_kept);
  };
  class RowRanking;

  Context& context_;
  const PairLayout* layout_ = nullptr;
  Limits closest_;   // keeps (T, column) ≤ limit
  Limits furthest_;  // keeps (T, column) ≥ limit
  std::vector<Scratch<float>> worker_rows_;
};

}  // namespace lpdm::cpu
