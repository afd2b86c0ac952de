// The local loss of all pairs with distances made of cosine series: every sum over pairs and the
// gradient are products of matrices of features, linear in N.
//
// U = [1, g, features of the input, features of the layer's output], (N, columns), is formed in
// blocks of rows. A layer takes two sweeps over them: the sums over all pairs, then for each row
// Σ_j E_ij F_j and from it the row's delta. Few rows, no more than columns (of the widest layer),
// are one block, of which the errors E themselves are formed (lowrank_gram.h); many go by products
// of columns (lowrank_moments.h). The maxima are those of exact distances, as far as furthest_pairs
// finds them.
#pragma once

#include <cstdint>
#include <vector>

#include "cpu/common/context.h"
#include "cpu/lowrank/feature_rows.h"
#include "cpu/lowrank/lowrank_features.h"
#include "cpu/lowrank/lowrank_gram.h"
#include "cpu/lowrank/lowrank_moments.h"
#include "cpu/pairs/loss_terms.h"
#include "cpu/pairs/near_maxima.h"
#include "cpu/pairs/pair_blocks.h"
#include "lpdm/ops.h"

namespace lpdm::cpu {

class LowRankPass {
 public:
  explicit LowRankPass(Context& context);

  static bool takes(const PairwiseTarget& target) { return target.low_rank > 0; }

  // Throws UsageError for a target that the series cannot stand for.
  void target_statistics(const TargetStatistics& op);
  void run(const LocalLoss& op);

  // [bytes] at most, of which the widest layer decides.
  static double scratch_bytes(double rows, std::int64_t in, std::int64_t out, std::int64_t terms,
                              bool gradient, double threads);

 private:
  struct LayerState {
    LocalLossLayer spec;
    LossWeights weights;
    NearMaxima maxima;
    float maximum = 0.0F;
    PairSums sums;
  };

  void run_layer(const LocalLoss& op, const LocalLossLayer& spec);
  void find_maximum(LayerState& layer);
  PairSums pair_sums(const LayerState& layer, const SeriesWeights& weights);
  void write_gradient(const LocalLoss& op, const LayerState& layer, const SeriesWeights& weights);
  void write_delta(const LayerState& layer, std::int64_t first, const FeatureRows& block,
                   double factor);
  // Rows of U, from the batch's row `first` on.
  FeatureRows form_block(const LayerState& layer, std::int64_t first, std::int64_t rows);
  FeatureRows block_of(std::int64_t rows) const;
  SeriesWeights series_weights(const TargetScales& scales, const LayerState& layer) const;

  // Constant columns too, which drop out: the memory plan, which has no data, has to know which of
  // the two ways is taken.
  static std::int64_t all_columns(std::int64_t in, std::int64_t out, std::int64_t terms) {
    return FeatureRows::kInputsBegin + 2 * terms * (in + out);
  }
  static constexpr std::int64_t kBlockRows = LowRankGram::kMostRows;  // few rows are one block
  static constexpr std::int64_t kStrideStep = 16;  // one cache line; one more against aliasing

  Context& context_;
  PairwiseTarget target_;
  std::int64_t rows_ = 0;
  bool few_rows_ = false;  // LowRankGram takes them
  LowRankFeatures input_;
  LowRankFeatures output_;
  LowRankGram gram_;
  LowRankMoments moments_;
  PackedBlocks blocks_;
  Scratch<float> block_;   // (kBlockRows, stride), rows of U
  Scratch<float> credit_;  // (kBlockRows, output features), Σ_j E_ij F_j
};

}  // namespace lpdm::cpu
