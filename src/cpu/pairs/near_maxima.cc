#include "cpu/pairs/near_maxima.h"

#include <algorithm>
#include <cmath>

#include "cpu/common/activation.h"
#include "cpu/pairs/loss_terms.h"

namespace lpdm::cpu {

void NearMaxima::list(RowPair pair) {
  if (static_cast<std::int64_t>(listed_.size()) < kMaxListed) listed_.push_back(pair);
}

void NearMaxima::note(float distance, float maximum, RowPair pair) {
  ++near_count_;
  maxima_count_ += distance == maximum ? 1 : 0;
  list(pair);
}

void NearMaxima::add(const NearMaxima& other) {
  near_count_ += other.near_count_;
  maxima_count_ += other.maxima_count_;
  for (const RowPair& pair : other.listed_) list(pair);
}

std::vector<RowPair> NearMaxima::largest(Metric metric, const LocalLossLayer& layer) const {
  std::vector<RowPair> found;
  double maximum = 0.0;
  for (const RowPair& pair : listed_) {
    double distance = 0.0;
    for (std::int64_t d = 0; d < layer.out; ++d) {
      const double difference = static_cast<double>(layer.output[pair.first * layer.out + d]) -
                                layer.output[pair.second * layer.out + d];
      distance += metric == Metric::kL1 ? std::abs(difference) : difference * difference;
    }
    if (distance > maximum) found.clear();
    maximum = std::max(maximum, distance);
    if (distance == maximum) found.push_back(pair);
  }
  return found;
}

void add_listed_maxima(const LocalLoss& op, const LocalLossLayer& layer, const NearMaxima& maxima,
                       const PairSums& sums, float maximum, double factor) {
  if (maxima.maxima_count() == 0) return;
  const bool l1 = op.target.metric == Metric::kL1;
  const std::vector<RowPair> pairs = maxima.largest(op.target.metric, layer);
  const double share = maximum_share(sums, maximum, static_cast<std::int64_t>(pairs.size()));
  const auto coefficient = static_cast<float>(factor * (l1 ? share : share / maximum));
  const Activation activation = delta_activation(layer);
  for (const RowPair& pair : pairs) {
    const float* first = layer.output + pair.first * layer.out;
    const float* second = layer.output + pair.second * layer.out;
    float* first_delta = layer.delta + pair.first * layer.out;
    float* second_delta = layer.delta + pair.second * layer.out;
    for (std::int64_t d = 0; d < layer.out; ++d) {
      const float difference = first[d] - second[d];
      const float direction =
          l1 ? static_cast<float>((difference > 0.0F) - (difference < 0.0F)) : difference;
      first_delta[d] += coefficient * direction * activation_slope(activation, first[d]);
      second_delta[d] -= coefficient * direction * activation_slope(activation, second[d]);
    }
  }
}

}  // namespace lpdm::cpu
