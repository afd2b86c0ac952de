#include "cpu/pairs/loss_terms.h"

#include <algorithm>
#include <cmath>

namespace lpdm::cpu {

LossWeights loss_weights(LossScale scale, std::int64_t in, std::int64_t out) {
  const double per_in = 1.0 / static_cast<double>(in);
  const double per_out = 1.0 / static_cast<double>(out);
  switch (scale) {
    case LossScale::kOwn:
      return {per_in, per_out};
    case LossScale::kCross:
      return {per_out, per_in};
    case LossScale::kNone:
      break;
  }
  return {};
}

void add_diagonal_entry(const LossWeights& weights, double target, PairSums& sums) {
  const double error = weights.target * target;
  sums.error_squared += error * error;
  sums.target += target;
  sums.target_squared += target * target;
}

LocalLossStatistics loss_statistics(const PairSums& sums, LossNorm norm, float maximum,
                                    double entries) {
  const double covariance = sums.target_distance - sums.target * sums.distance / entries;
  const double target_variance = sums.target_squared - sums.target * sums.target / entries;
  const double distance_variance = sums.distance_squared - sums.distance * sums.distance / entries;
  constexpr double kConstant = 1e-12;  // relative variance that is only rounding
  const bool varied = target_variance > kConstant * sums.target_squared &&
                      distance_variance > kConstant * sums.distance_squared;
  return {.loss = norm == LossNorm::kSquared ? sums.error_squared : std::sqrt(sums.error_squared),
          .correlation =
              varied ? std::clamp(covariance / std::sqrt(target_variance * distance_variance), -1.0,
                                  1.0)
                     : 0.0,
          .mean_distance = ratio_or_zero(sums.distance, entries * maximum),
          .max_distance = maximum};
}

double gradient_factor(const PairSums& sums, LossNorm norm, double output_weight, float maximum) {
  const double slope =
      norm == LossNorm::kSquared ? 2.0 : ratio_or_zero(1.0, std::sqrt(sums.error_squared));
  return ratio_or_zero(-2.0 * output_weight * slope, maximum);
}

double maximum_share(const PairSums& sums, float maximum, std::int64_t pairs) {
  return -sums.error_distance / maximum / (2.0 * static_cast<double>(pairs));
}

}  // namespace lpdm::cpu
