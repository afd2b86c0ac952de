// The errors of all pairs of few rows, one by one.
//
// While a batch has no more rows than its features have columns, the (N, N) matrix of errors is
// smaller than the products of columns (lowrank_product.h) it would otherwise be written with.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "cpu/common/context.h"
#include "cpu/pairs/pairwise_error.h"

namespace lpdm::cpu {

// Features of rows, U = [1, g, features of the input, features of the layer's output].
struct FeatureRows {
  const float* features = nullptr;  // (rows, columns), rows `stride` apart
  std::int64_t rows = 0;
  std::int64_t stride = 0;
  std::int64_t inputs_begin = 0;   // columns
  std::int64_t outputs_begin = 0;  // up to `columns`
  std::int64_t columns = 0;
};

// T_ij = constant + shift (g_i + g_j) − input Fx_i·Fx_j,  D_ij = offset − F_i·F_j,
// E = target_weight T − distance_weight D;  D_ii = 0 and T_ii = 2 shift g_i, whatever the series.
struct GramWeights {
  double constant = 0.0;
  double shift = 0.0;
  double input = 0.0;
  double offset = 0.0;
  double target_weight = 0.0;
  double distance_weight = 0.0;
};

class LowRankGram {
 public:
  static constexpr std::int64_t kMostRows = 2048;  // 16 MiB of errors

  explicit LowRankGram(Context& context);

  static bool takes(std::int64_t rows, std::int64_t columns) {
    return rows <= std::min(kMostRows, columns);
  }

  // Forms E and returns the sums over its ordered entries, max D left out.
  PairSums form(const FeatureRows& rows, const GramWeights& weights);

  // to (count, output features): Σ_j E_ij F_j for the rows i from `first` on of the matrix formed
  // last. `to` is dense.
  void credit(const FeatureRows& rows, std::int64_t first, std::int64_t count, float* to) const;

  // [bytes]
  static double bytes(double rows, double threads);

 private:
  PairSums form_errors_of_block(const FeatureRows& rows, const GramWeights& weights,
                                std::int64_t first, float* targets);

  static constexpr std::int64_t kBlock = 64;  // rows of a task

  Context& context_;
  Scratch<float> errors_;   // (rows, rows)
  Scratch<float> targets_;  // (workers, kBlock, rows)
  std::vector<PairSums> sums_;
};

}  // namespace lpdm::cpu
