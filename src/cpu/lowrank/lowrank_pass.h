// The local loss of all pairs with distances made of cosine series: every sum over pairs and the
// gradient are products of matrices of features, linear in N.
//
// U = [1, g, features of the input, features of the layer's output], (N, columns), is formed in
// blocks of rows and never kept. A layer takes two sweeps: M = Uᵀ U, of which all sums follow; then
// Σ_j E_ij F_j = U S M for each row, E = U S Uᵀ, and from it the row's delta. With few rows, no
// more than columns (of the widest layer), the first sweep forms E itself (lowrank_gram.h). The
// maxima are those of exact distances, as far as furthest_pairs finds them.
#pragma once

#include <cstdint>
#include <vector>

#include "cpu/common/context.h"
#include "cpu/lowrank/lowrank_features.h"
#include "cpu/lowrank/lowrank_gram.h"
#include "cpu/lowrank/lowrank_product.h"
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
  // E = constant + shift (g_i + g_j) − input Fx_i·Fx_j + output F_i·F_j, and T and D likewise.
  struct Weights {
    double constant = 0.0;
    double shift = 0.0;
    double input = 0.0;
    double output = 0.0;
  };
  struct LayerState {
    LocalLossLayer spec;
    LossWeights weights;
    NearMaxima maxima;
    float maximum = 0.0F;
    PairSums sums;

    double distance_weight() const { return ratio_or_zero(weights.output, maximum); }
  };

  void run_layer(const LocalLoss& op, const LocalLossLayer& spec);
  void find_maximum(LayerState& layer);
  PairSums form_errors(const LocalLoss& op, const LayerState& layer);
  void form_product(const LayerState& layer);
  void form_block(const LayerState& layer, std::int64_t first, std::int64_t rows);
  PairSums pair_sums(const LocalLoss& op, const LayerState& layer) const;
  void remove_diagonal(const Weights& target, PairSums& sums) const;
  void write_gradient(const LocalLoss& op, const LayerState& layer);
  void write_credit(std::int64_t begin, std::int64_t count, float* to) const;
  void form_credit_matrix(const LocalLoss& op, const LayerState& layer);
  Weights target_weights(const TargetScales& scales) const;

  // Constant columns too, which drop out: the memory plan, which has no data, has to know which of
  // the two ways is taken.
  static std::int64_t all_columns(std::int64_t in, std::int64_t out, std::int64_t terms) {
    return kInputBegin + 2 * terms * (in + out);
  }
  FeatureRows feature_rows() const;  // of all rows, where these are few
  std::int64_t outputs_begin() const { return kInputBegin + input_.count(); }
  std::int64_t columns() const { return outputs_begin() + output_.count(); }
  std::int64_t stride() const {
    return ceil_div(columns(), kStrideStep) * kStrideStep + kStrideStep;
  }

  static constexpr std::int64_t kInputBegin = 2;  // after the columns of 1 and of g
  static constexpr std::int64_t kBlockRows = LowRankGram::kMostRows;  // few rows are one block
  static constexpr std::int64_t kStrideStep = 16;  // one cache line; one more against aliasing

  Context& context_;
  PairwiseTarget target_;
  std::int64_t rows_ = 0;
  bool few_rows_ = false;  // LowRankGram takes them
  LowRankFeatures input_;
  LowRankFeatures output_;
  LowRankGram gram_;
  LowRankProduct product_;
  PackedBlocks blocks_;
  Scratch<float> block_;   // (kBlockRows, stride), rows of U
  Scratch<float> matrix_;  // (columns, output features), S M; not of few rows
  Scratch<float> credit_;  // (kBlockRows, output features), Σ_j E_ij F_j
};

}  // namespace lpdm::cpu
