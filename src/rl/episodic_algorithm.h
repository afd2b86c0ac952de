// REINFORCE's iteration: whole episodes, then one update.
#pragma once

#include "lpdm/batch.h"
#include "rl/algorithm.h"
#include "rl/episode_collector.h"
#include "rl/reinforce_update.h"

namespace lpdm {

class EpisodicAlgorithm final : public Algorithm {
 public:
  explicit EpisodicAlgorithm(const AlgorithmParts& parts);

  std::int64_t collect(std::int64_t iteration, IterationMetrics& metrics) override;
  UpdateReport update(const UpdateOptions& options) override;

  void set_iteration(std::int64_t iteration) override { update_.set_iteration(iteration); }
  // Every iteration starts with new episodes.
  RolloutState rollout_state() const override { return {}; }
  void restore(const RolloutState&) override {}

 private:
  void append(const Episode& episode);

  std::int64_t episodes_per_update_;
  Normalizer& normalizer_;
  EpisodeCollector collector_;
  ReinforceUpdate update_;
  // Whether the forward pass of the rollout serves the update: the rows come one after another, as
  // the batch has them, from the network that learns, which is at hand where they are computed.
  bool evaluates_once_;
  Batch batch_;
};

}  // namespace lpdm
