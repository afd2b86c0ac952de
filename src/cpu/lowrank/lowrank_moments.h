// The sums over all pairs and the gradient of many rows, by products of their features' columns.
//
// M = Uᵀ U, of which all sums follow; then Σ_j E_ij F_j = U S M for a row, E being U S Uᵀ. Linear
// in the number of rows, which come in blocks.
#pragma once

#include <cstdint>

#include "cpu/common/context.h"
#include "cpu/lowrank/feature_rows.h"
#include "cpu/lowrank/lowrank_product.h"
#include "cpu/pairs/pairwise_error.h"

namespace lpdm::cpu {

class LowRankMoments {
 public:
  explicit LowRankMoments(Context& context);

  void clear(std::int64_t columns);
  void add(const FeatureRows& block);

  // Over the ordered entries of all rows added, max D left out. shape: any block's, for its
  // columns.
  PairSums sums(const FeatureRows& shape, const SeriesWeights& weights) const;

  // S M, the columns of the output's features, for credit.
  void weigh(const FeatureRows& shape, const SeriesWeights& weights);

  // to (count, output features): Σ_j E_ij F_j for the block's rows i from `first` on. `to` is
  // dense.
  void credit(const FeatureRows& block, std::int64_t first, std::int64_t count, float* to) const;

  // [bytes]
  static double bytes(double columns, double outputs, bool gradient, double threads);

 private:
  Context& context_;
  LowRankProduct product_;
  Scratch<float> matrix_;  // (columns, output features)
};

}  // namespace lpdm::cpu
