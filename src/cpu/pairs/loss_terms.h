// What the local loss of a layer makes of the sums over its pairs.
#pragma once

#include <cstdint>

#include "cpu/pairs/pairwise_error.h"
#include "lpdm/ops.h"

namespace lpdm::cpu {

// (s_T, s_Y) of the method's section 1.
struct LossWeights {
  double target = 1.0;
  double output = 1.0;
};

// in: the width of the rows whose distances T is made of.
LossWeights loss_weights(LossScale scale, std::int64_t in, std::int64_t out);

inline double ratio_or_zero(double numerator, double denominator) {
  return denominator > 0.0 ? numerator / denominator : 0.0;
}

// Adds the entry (i, i) of a kept row: D is 0, T need not be when guided.
void add_diagonal_entry(const LossWeights& weights, double target, PairSums& sums);

// entries: how many ordered entries the sums are over. maximum: max D.
LocalLossStatistics loss_statistics(const PairSums& sums, LossNorm norm, float maximum,
                                    double entries);

// What turns Σ_j E_ij · direction_ij, each unordered pair once, into ∂L/∂y_i: −s_Y/(L m) or
// −2 s_Y/m, twice because D is symmetric. 0 where L or the maximum m is 0.
double gradient_factor(const PairSums& sums, LossNorm norm, double output_weight, float maximum);

// The max term in the units of E: −Σ E·D̄ / K for each of the K = 2 · pairs entries at the maximum.
double maximum_share(const PairSums& sums, float maximum, std::int64_t pairs);

}  // namespace lpdm::cpu
