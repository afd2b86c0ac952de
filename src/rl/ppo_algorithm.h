// PPO's iteration: a fixed number of steps of every environment, then several epochs of updates.
#pragma once

#include "lpdm/ppo.h"
#include "rl/algorithm.h"
#include "rl/horizon_collector.h"

namespace lpdm {

class PpoAlgorithm final : public Algorithm {
 public:
  explicit PpoAlgorithm(const AlgorithmParts& parts);

  std::int64_t collect(std::int64_t iteration, IterationMetrics& metrics) override;
  UpdateReport update(const UpdateOptions& options) override;

  void set_iteration(std::int64_t iteration) override { ppo_.set_iteration(iteration); }
  RolloutState rollout_state() const override { return collector_.running_episodes(); }
  void restore(const RolloutState& state) override { collector_.restore(state); }

 private:
  Normalizer& normalizer_;
  HorizonCollector collector_;
  Ppo ppo_;
  const HorizonRollout* rollout_ = nullptr;  // the collector's
};

}  // namespace lpdm
