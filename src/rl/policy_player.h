// A trainer's present policy, one observation at a time, as an evaluation plays it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "lpdm/trainer.h"
#include "rl/normalizer.h"
#include "rl/rollout_policy.h"

namespace lpdm {

class PolicyPlayer {
 public:
  // Takes over the parameters and statistics that the trainer, which must outlive it, has now.
  explicit PolicyPlayer(Trainer& trainer);

  // The head's output for an observation of the environment: logits or means, (action.size), kept
  // until the next call. observation: (observation_size).
  std::span<const float> run(std::span<const float> observation);

  // The action for that output, (action.width()): the most likely one, or drawn as in step `step`
  // of evaluation episode `episode`.
  void most_likely(std::span<float> action) const;
  void sample(std::int64_t episode, std::int64_t step, std::span<float> action) const;

  const Normalizer& normalizer() const { return normalizer_; }
  const RolloutPolicy& policy() const { return policy_; }

 private:
  RolloutPolicy policy_;
  Normalizer normalizer_;
  std::vector<float> input_;   // (observation_size)
  std::vector<float> output_;  // (action.size)
};

}  // namespace lpdm
