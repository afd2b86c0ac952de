#include "cpu/policy_loss.h"

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
  const double variance = op.std * op.std;
  const double log_normalizer = std::log(op.std) + 0.5 * std::log(2.0 * std::numbers::pi);
  double loss = 0.0;
  for (std::int64_t i = 0; i < rows; ++i) {
    const double weight = op.weights[i] / static_cast<double>(rows);
    for (std::int64_t a = 0; a < op.dimensions; ++a) {
      const std::int64_t at = i * op.dimensions + a;
      const double difference = static_cast<double>(op.actions[at]) - op.mean[at];
      loss += weight * (0.5 * difference * difference / variance + log_normalizer);
      op.delta[at] = static_cast<float>(-weight * difference / variance);
    }
  }
  *op.loss = loss;
}

}  // namespace lpdm::cpu
