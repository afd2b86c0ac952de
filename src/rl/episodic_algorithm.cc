#include "rl/episodic_algorithm.h"

namespace lpdm {

EpisodicAlgorithm::EpisodicAlgorithm(const AlgorithmParts& parts)
    : episodes_per_update_(parts.config.algorithm.episodes_per_update),
      normalizer_(parts.normalizer),
      collector_(parts.environments, parts.policy, parts.normalizer, parts.config, parts.in_halves),
      update_(parts.backend, parts.network, parts.environments.spec().action, parts.config),
      evaluates_once_(parts.environments.count() == 1 && parts.policy.fills_rows()) {
  batch_.observation_size = parts.environments.spec().observation_size;
  batch_.action_width = parts.environments.spec().action.width();
}

std::int64_t EpisodicAlgorithm::collect(std::int64_t iteration, IterationMetrics& metrics) {
  const std::int64_t count = episodes_per_update_;
  batch_.clear();
  const auto episodes = collector_.play(iteration * count, count,
                                        {.rows = evaluates_once_ ? &update_.rows() : nullptr});
  double return_sum = 0.0;
  for (const Episode& episode : episodes) {
    append(episode);
    return_sum += episode.return_sum;
    metrics.diverged += episode.diverged ? 1 : 0;
    normalizer_.merge(episode.moments);
  }
  normalizer_.refresh();
  metrics.episodes = count;
  metrics.return_mean = return_sum / static_cast<double>(count);
  metrics.length_mean = static_cast<double>(batch_.rows()) / static_cast<double>(count);
  return batch_.rows();
}

void EpisodicAlgorithm::append(const Episode& episode) {
  const auto add = [](std::vector<float>& to, const std::vector<float>& from) {
    to.insert(to.end(), from.begin(), from.end());
  };
  add(batch_.observations, episode.observations);
  add(batch_.actions, episode.actions);
  add(batch_.rewards, episode.rewards);
  add(batch_.final_observations, episode.final_observation);
  batch_.truncated.push_back(episode.truncated && !episode.terminated ? 1 : 0);
  batch_.episode_ends.push_back(batch_.rows());
}

UpdateReport EpisodicAlgorithm::update(const UpdateOptions& options) {
  return evaluates_once_ ? update_.update_played(batch_, options) : update_.update(batch_, options);
}

}  // namespace lpdm
