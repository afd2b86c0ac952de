#include "cpu/ops/policy_loss.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace lpdm::cpu {

void categorical_loss(Context&, const CategoricalLoss& op) {
  const std::int64_t rows = *op.rows.count;
  const std::int64_t actions = op.actions_count;
  double loss = 0.0;
  for (std::int64_t i = 0; i < rows; ++i) {
    const float* logits = op.logits + i * actions;
    float* delta = op.delta + i * actions;
    const double largest = *std::max_element(logits, logits + actions);
    double total = 0.0;
    for (std::int64_t a = 0; a < actions; ++a) total += std::exp(logits[a] - largest);
    const auto taken = static_cast<std::int64_t>(op.actions[i]);
    const double log_probability = logits[taken] - largest - std::log(total);
    const double weight = op.weights[i] / static_cast<double>(rows);
    loss -= log_probability * weight;
    // ∂(−log π)/∂logit = π − onehot(taken)
    for (std::int64_t a = 0; a < actions; ++a) {
      const double probability = std::exp(logits[a] - largest) / total;
      delta[a] = static_cast<float>(weight * (probability - (a == taken ? 1.0 : 0.0)));
    }
  }
  *op.loss = loss;
}

void gaussian_loss(Context&, const GaussianLoss& op) {
  const std::int64_t rows = *op.rows.count;
  const double log_sqrt_two_pi = 0.5 * std::log(2.0 * std::numbers::pi);
  double loss = 0.0;
  for (std::int64_t a = 0; a < op.dimensions; ++a) {
    const double log_std = op.log_std != nullptr ? op.log_std[a] : std::log(op.std);
    const double variance = op.log_std != nullptr ? std::exp(2.0 * log_std) : op.std * op.std;
    double std_gradient = 0.0;
    for (std::int64_t i = 0; i < rows; ++i) {
      const std::int64_t at = i * op.dimensions + a;
      const double weight = op.weights[i] / static_cast<double>(rows);
      const double difference = static_cast<double>(op.actions[at]) - op.mean[at];
      const double squared = difference * difference / variance;
      loss += weight * (0.5 * squared + log_std + log_sqrt_two_pi);
      op.delta[at] = static_cast<float>(-weight * difference / variance);
      std_gradient += weight * (1.0 - squared);
    }
    if (op.log_std_gradient != nullptr) op.log_std_gradient[a] = static_cast<float>(std_gradient);
  }
  *op.loss = loss;
}

}  // namespace lpdm::cpu
