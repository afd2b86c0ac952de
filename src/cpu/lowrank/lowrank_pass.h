// The local loss of all pairs with distances made of cosine series: every sum over pairs and the
// gradient are products of matrices of features, linear in N.
//
// U = [1, g, features of the input, features of the layer's output], (N, columns), is formed in
// blocks of rows and never kept. A layer takes two sweeps: M = Uᵀ U, of which all sums follow; then
// Σ_j E_ij F_j = U S M for each row, E = U S Uᵀ, and from it the row's delta. The maxima are those
// of exact distances, as far as furthest_pairs finds them.
#pragma once

#include <cstdint>
#include <vector>

#include "cpu/common/context.h"
#include "cpu/lowrank/lowrank_features.h"
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

  // [bytes] at most for a layer.
  static double scratch_bytes(double rows, double in, double out, double terms, bool gradient,
                              double threads);

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
  };

  void run_layer(const LocalLoss& op, const LocalLossLayer& spec);
  void find_maximum(LayerState& layer);
  void form_product(const LayerState& layer);
  void form_block(const LayerState& layer, std::int64_t first, std::int64_t rows);
  PairSums pair_sums(const LocalLoss& op, const LayerState& layer) const;
  void remove_diagonal(const Weights& target, PairSums& sums) const;
  void write_gradient(const LocalLoss& op, const LayerState& layer);
  void form_credit_matrix(const Weights& error);
  Weights target_weights(const TargetScales& scales) const;

  std::int64_t outputs_begin() const { return kInputBegin + input_.count(); }
  std::int64_t columns() const { return outputs_begin() + output_.count(); }
  std::int64_t stride() const {
    return ceil_div(columns(), kStrideStep) * kStrideStep + kStrideStep;
  }

  static constexpr std::int64_t kInputBegin = 2;  // after the columns of 1 and of g
  static constexpr std::int64_t kBlockRows = 2048;
  static constexpr std::int64_t kStrideStep = 16;  // one cache line; one more against aliasing

  Context& context_;
  PairwiseTarget target_;
  std::int64_t rows_ = 0;
  LowRankFeatures input_;
  LowRankFeatures output_;
  LowRankProduct product_;
  PackedBlocks blocks_;
  Scratch<float> block_;   // (kBlockRows, stride), rows of U
  Scratch<float> matrix_;  // (columns, output features), S M
  Scratch<float> credit_;  // (kBlockRows, output features), Σ_j E_ij F_j
};

}  // namespace lpdm::cpu
