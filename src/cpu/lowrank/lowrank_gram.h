// The errors of all pairs of few rows, one by one.
//
// While a batch has no more rows than its features have columns, the (N, N) matrix of errors is
// smaller than the products of columns (lowrank_moments.h) it would otherwise be written with.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "cpu/common/context.h"
#include "cpu/lowrank/feature_rows.h"
#include "cpu/pairs/pairwise_error.h"

namespace lpdm::cpu {

class LowRankGram {
 public:
  static constexpr std::int64_t kMostRows = 2048;  // 16 MiB of errors

  explicit LowRankGram(Context& context);

  static bool takes(std::int64_t rows, std::int64_t columns) {
    return rows <= std::min(kMostRows, columns);
  }

  // Forms E and returns the sums over its ordered entries, max D left out.
  PairSums form(const FeatureRows& rows, const SeriesWeights& weights);

  // to (count, output features): Σ_j E_ij F_j for the rows i from `first` on of the matrix formed
  // last. `to` is dense.
  void credit(const FeatureRows& rows, std::int64_t first, std::int64_t count, float* to) const;

  // [bytes]
  static double bytes(double rows, double threads);

 private:
  PairSums form_errors_of_block(const FeatureRows& rows, const SeriesWeights& weights,
                                std::int64_t first, float* targets);

  static constexpr std::int64_t kBlock = 64;  // rows of a task

  Context& context_;
  Scratch<float> errors_;   // (rows, rows)
  Scratch<float> targets_;  // (workers, kBlock, rows)
  std::vector<PairSums> sums_;
};

}  // namespace lpdm::cpu
