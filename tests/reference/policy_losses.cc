#include "reference/policy_losses.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace lpdm::reference {

namespace {

Values probabilities(const Values& logits) {
  Values p(logits.size());
  double total = 0.0;
  for (std::size_t a = 0; a < p.size(); ++a) total += p[a] = std::exp(logits[a]);
  for (double& value : p) value /= total;
  return p;
}

PolicyRow row_of(const PolicyBatch& batch, std::int64_t i, bool old) {
  const Values& outputs = old ? batch.old_outputs : batch.outputs;
  const auto slice = [&](const Values& matrix) {
    const auto width = static_cast<std::int64_t>(matrix.size()) / batch.n;
    return Values(matrix.begin() + i * width, matrix.begin() + (i + 1) * width);
  };
  return {slice(outputs), slice(batch.actions), old ? batch.old_log_std : batch.log_std};
}

}  // namespace

double log_probability(const PolicyRow& row) {
  if (row.log_std.empty()) {
    return std::log(probabilities(row.outputs)[static_cast<std::size_t>(row.actions[0])]);
  }
  double sum = 0.0;
  for (std::size_t d = 0; d < row.outputs.size(); ++d) {
    const double std = std::exp(row.log_std[d]);
    const double z = (row.actions[d] - row.outputs[d]) / std;
    sum += std::log(std::exp(-0.5 * z * z) / (std * std::sqrt(2.0 * std::numbers::pi)));
  }
  return sum;
}

double entropy(const PolicyRow& row) {
  double sum = 0.0;
  if (row.log_std.empty()) {
    for (const double p : probabilities(row.outputs)) sum -= p * std::log(p);
    return sum;
  }
  for (const double log_std : row.log_std) {
    const double variance = std::exp(log_std) * std::exp(log_std);
    sum += 0.5 * std::log(2.0 * std::numbers::pi * std::numbers::e * variance);
  }
  return sum;
}

double kl_divergence(const PolicyRow& from, const PolicyRow& to) {
  double sum = 0.0;
  if (from.log_std.empty()) {
    const Values p = probabilities(from.outputs), q = probabilities(to.outputs);
    for (std::size_t a = 0; a < p.size(); ++a) sum += p[a] * std::log(p[a] / q[a]);
    return sum;
  }
  for (std::size_t d = 0; d < from.outputs.size(); ++d) {
    const double s = std::exp(from.log_std[d]), t = std::exp(to.log_std[d]);
    const double shift = from.outputs[d] - to.outputs[d];
    sum += std::log(t / s) + (s * s + shift * shift) / (2.0 * t * t) - 0.5;
  }
  return sum;
}

double reinforce_loss(const PolicyBatch& batch) {
  double sum = 0.0;
  for (std::int64_t i = 0; i < batch.n; ++i) {
    sum -= log_probability(row_of(batch, i, false)) * batch.weights[static_cast<std::size_t>(i)];
  }
  return sum / static_cast<double>(batch.n);
}

double PpoTerms::total(const PpoObjective& objective) const {
  return surrogate + objective.kl_weight * kl - objective.entropy_weight * entropy;
}

PpoTerms ppo_loss(const PolicyBatch& batch, double clip) {
  PpoTerms terms;
  const double share = 1.0 / static_cast<double>(batch.n);
  for (std::int64_t i = 0; i < batch.n; ++i) {
    const PolicyRow now = row_of(batch, i, false), old = row_of(batch, i, true);
    const double ratio = std::exp(log_probability(now) - log_probability(old));
    const double advantage = batch.weights[static_cast<std::size_t>(i)];
    const double kept = std::min(std::max(ratio, 1.0 - clip), 1.0 + clip);
    terms.surrogate -= share * std::min(ratio * advantage, kept * advantage);
    terms.kl += share * kl_divergence(old, now);
    terms.entropy += share * entropy(now);
  }
  return terms;
}

double value_loss(const Values& values, const Values& returns, const Values& old_values,
                  double clip) {
  double sum = 0.0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    double squared = std::pow(values[i] - returns[i], 2);
    if (clip > 0.0) {
      const double kept = std::min(std::max(values[i], old_values[i] - clip), old_values[i] + clip);
      squared = std::max(squared, std::pow(kept - returns[i], 2));
    }
    sum += squared;
  }
  return sum / static_cast<double>(values.size());
}

Values numerical_gradient(const std::function<double(const Values&)>& loss, const Values& x) {
  constexpr double kStep = 1e-6;
  Values gradient(x.size());
  Values moved = x;
  for (std::size_t k = 0; k < x.size(); ++k) {
    moved[k] = x[k] + kStep;
    const double above = loss(moved);
    moved[k] = x[k] - kStep;
    gradient[k] = (above - loss(moved)) / (2.0 * kStep);
    moved[k] = x[k];
  }
  return gradient;
}

}  // namespace lpdm::reference
