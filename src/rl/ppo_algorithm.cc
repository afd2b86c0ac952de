#include "rl/ppo_algorithm.h"

namespace lpdm {

PpoAlgorithm::PpoAlgorithm(const AlgorithmParts& parts)
    : normalizer_(parts.normalizer),
      collector_(parts.environments, parts.policy, parts.normalizer, parts.config,
                 parts.config.algorithm.ppo.horizon, parts.in_halves),
      ppo_(parts.backend, parts.network, parts.environments.spec().action, parts.config) {}

std::int64_t PpoAlgorithm::collect(std::int64_t, IterationMetrics& metrics) {
  rollout_ = &collector_.collect();
  for (const SequenceMoments& moments : collector_.moments()) normalizer_.merge(moments);
  normalizer_.refresh();
  const auto episodes = static_cast<std::int64_t>(rollout_->ends.size());
  metrics.episodes = episodes;
  metrics.diverged = rollout_->diverged;
  if (episodes == 0) return rollout_->rows();
  double return_sum = 0.0;
  double length_sum = 0.0;
  for (const EpisodeEnd& end : rollout_->ends) {
    return_sum += end.return_sum;
    length_sum += static_cast<double>(end.length);
  }
  metrics.return_mean = return_sum / static_cast<double>(episodes);
  metrics.length_mean = length_sum / static_cast<double>(episodes);
  return rollout_->rows();
}

UpdateReport PpoAlgorithm::update(const UpdateOptions& options) {
  return ppo_.update(*rollout_, options);
}

}  // namespace lpdm
