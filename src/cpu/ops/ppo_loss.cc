#include "cpu/ops/ppo_loss.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

namespace lpdm::cpu {

namespace {

// Adds one row's surrogate to the statistics and returns ∂(row's loss)/∂(log π(a|s)).
double add_surrogate(double log_ratio, double advantage, double clip, double share,
                     PpoLossStatistics& statistics) {
  const double ratio = std::exp(log_ratio);
  const double clamped = std::clamp(ratio, 1.0 - clip, 1.0 + clip);
  statistics.surrogate -= share * std::min(ratio * advantage, clamped * advantage);
  if (clamped * advantage < ratio * advantage) {
    statistics.clip_fraction += share;
    return 0.0;
  }
  return -ratio * advantage;
}

// log π of every action.
void log_softmax(const float* logits, std::vector<double>& log_probabilities) {
  const auto actions = static_cast<std::int64_t>(log_probabilities.size());
  const double largest = *std::max_element(logits, logits + actions);
  double total = 0.0;
  for (std::int64_t a = 0; a < actions; ++a) total += std::exp(logits[a] - largest);
  const double normalizer = largest + std::log(total);
  for (std::int64_t a = 0; a < actions; ++a) {
    log_probabilities[static_cast<std::size_t>(a)] = logits[a] - normalizer;
  }
}

// The standard deviations of the new and the old policy, per dimension.
struct Spread {
  double log_std, old_log_std, variance, old_variance;
};

std::vector<Spread> spreads(const PpoGaussianLoss& op) {
  std::vector<Spread> spread;
  for (std::int64_t a = 0; a < op.dimensions; ++a) {
    const bool learned = op.log_std != nullptr;
    const double log_std = learned ? op.log_std[a] : std::log(op.std);
    const double old_log_std = learned ? op.old_log_std[a] : log_std;
    spread.push_back({log_std, old_log_std, std::exp(2.0 * log_std), std::exp(2.0 * old_log_std)});
  }
  return spread;
}

}  // namespace

void ppo_categorical_loss(Context&, const PpoCategoricalLoss& op) {
  const std::int64_t rows = *op.rows.count;
  const double share = 1.0 / static_cast<double>(rows);
  const auto actions = static_cast<std::size_t>(op.actions_count);
  std::vector<double> log_p(actions), log_old(actions);
  PpoLossStatistics statistics;
  for (std::int64_t i = 0; i < rows; ++i) {
    log_softmax(op.logits + i * op.actions_count, log_p);
    log_softmax(op.old_logits + i * op.actions_count, log_old);
    const auto taken = static_cast<std::size_t>(op.actions[i]);
    const double score = add_surrogate(log_p[taken] - log_old[taken], op.advantages[i],
                                       op.objective.clip, share, statistics);
    double kl = 0.0;
    double entropy = 0.0;
    for (std::size_t a = 0; a < actions; ++a) {
      kl += std::exp(log_old[a]) * (log_old[a] - log_p[a]);
      entropy -= std::exp(log_p[a]) * log_p[a];
    }
    statistics.kl += share * kl;
    statistics.entropy += share * entropy;
    float* delta = op.delta + i * op.actions_count;
    for (std::size_t a = 0; a < actions; ++a) {
      const double p = std::exp(log_p[a]);
      const double surrogate = score * ((a == taken ? 1.0 : 0.0) - p);
      const double divergence = op.objective.kl_weight * (p - std::exp(log_old[a]));
      const double bonus = op.objective.entropy_weight * p * (log_p[a] + entropy);
      delta[a] = static_cast<float>(share * (surrogate + divergence + bonus));
    }
  }
  *op.statistics = statistics;
}

void ppo_gaussian_loss(Context&, const PpoGaussianLoss& op) {
  const std::int64_t rows = *op.rows.count;
  const double share = 1.0 / static_cast<double>(rows);
  const std::vector<Spread> spread = spreads(op);
  std::vector<double> std_gradient(spread.size(), 0.0);
  PpoLossStatistics statistics;
  for (std::int64_t i = 0; i < rows; ++i) {
    const float* mean = op.mean + i * op.dimensions;
    const float* old_mean = op.old_mean + i * op.dimensions;
    const float* action = op.actions + i * op.dimensions;
    double log_ratio = 0.0;
    for (std::size_t a = 0; a < spread.size(); ++a) {
      const auto& [log_std, old_log_std, variance, old_variance] = spread[a];
      const double from_mean = static_cast<double>(action[a]) - mean[a];
      const double from_old = static_cast<double>(action[a]) - old_mean[a];
      const double moved = static_cast<double>(mean[a]) - old_mean[a];
      log_ratio += old_log_std - log_std + 0.5 * from_old * from_old / old_variance -
                   0.5 * from_mean * from_mean / variance;
      statistics.kl +=
          share * (log_std - old_log_std + 0.5 * (old_variance + moved * moved) / variance - 0.5);
      statistics.entropy +=
          share * (log_std + 0.5 * std::log(2.0 * std::numbers::pi * std::numbers::e));
    }
    const double score =
        add_surrogate(log_ratio, op.advantages[i], op.objective.clip, share, statistics);
    for (std::size_t a = 0; a < spread.size(); ++a) {
      const auto& [log_std, old_log_std, variance, old_variance] = spread[a];
      const double from_mean = static_cast<double>(action[a]) - mean[a];
      const double moved = static_cast<double>(mean[a]) - old_mean[a];
      const double weight = op.objective.kl_weight;
      op.delta[i * op.dimensions + static_cast<std::int64_t>(a)] =
          static_cast<float>(share * (score * from_mean / variance + weight * moved / variance));
      std_gradient[a] += share * (score * (from_mean * from_mean / variance - 1.0) +
                                  weight * (1.0 - (old_variance + moved * moved) / variance) -
                                  op.objective.entropy_weight);
    }
  }
  if (op.log_std_gradient != nullptr) {
    std::copy(std_gradient.begin(), std_gradient.end(), op.log_std_gradient);
  }
  *op.statistics = statistics;
}

}  // namespace lpdm::cpu
