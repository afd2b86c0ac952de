// The policy head as an update sees it: its losses by kind of action, and its parameter group.
//
// The log standard deviations, where they are learned, belong to the head's group.
#pragma once

#include <vector>

#include "lpdm/backend.h"
#include "lpdm/config.h"
#include "lpdm/environment.h"
#include "lpdm/network.h"
#include "nn/activations.h"

namespace lpdm {

class PolicyHead {
 public:
  // Borrows backend and network.
  PolicyHead(Backend& backend, Network& network, const ActionSpace& action, const Config& config);

  // Writes the head's delta and the gradient of learned standard deviations, and the loss
  // −mean(log π(a|s) · weight).
  // actions: (N, width), weights: (N).
  void reinforce_loss(const Rows& rows, HeadActivations& heads, const float* actions,
                      const float* weights, double* loss);

  // A mini-batch of PPO. old_outputs: (N, head) of the policy that chose the actions.
  struct PpoBatch {
    Rows rows;
    const float* old_outputs = nullptr;
    const float* actions = nullptr;
    const float* advantages = nullptr;
    PpoLossStatistics* statistics = nullptr;
  };
  // The same of PPO. The weights' gradients are left to heads.policy_gradient in both cases.
  void ppo_loss(HeadActivations& heads, const PpoBatch& batch);
  // The policy as it is now becomes the one that ppo_loss compares with.
  void remember_std();

  // One clipped Adam step of the head together with `shared`, the slices of the layers below that
  // learn from the policy's loss; none where they do not. rate_factor: in backend memory.
  void step(std::vector<ParameterSlice> shared, const double* rate_factor);

 private:
  Backend& backend_;
  Network& network_;
  ActionSpace action_;
  HeadConfig head_;
  PpoObjective objective_;
  double std_;
  DeviceArray<float> old_log_std_;  // (action.size), where it is learned
};

}  // namespace lpdm
