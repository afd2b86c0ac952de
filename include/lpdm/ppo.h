// Proximal policy optimisation: several epochs of mini-batch updates of a network from one rollout
// (paper section 4.2).
//
// Owns everything an update needs in backend memory; the network belongs to the caller, must have a
// value head and must outlive it. Under lpdm the hidden layers match distances over each mini-batch
// or, with hidden.batch buffer, over the whole rollout, once before each epoch; the heads learn by
// their own losses on the hidden layers' outputs.
#pragma once

#include <cstdint>
#include <memory>

#include "lpdm/backend.h"
#include "lpdm/batch.h"
#include "lpdm/config.h"
#include "lpdm/environment.h"
#include "lpdm/network.h"
#include "lpdm/update.h"

namespace lpdm {

class Ppo {
 public:
  // Uses config.algorithm, hidden, head, value, policy and run.seed. Throws UsageError for settings
  // that have no meaning with PPO.
  Ppo(Backend& backend, Network& network, const ActionSpace& action, const Config& config);
  ~Ppo();

  // Learns from one rollout, which the network's present policy has collected; all rollouts of one
  // object have the same horizon and count. Throws NumericalError if a loss or gradient is not
  // finite; the network is then no longer usable.
  UpdateReport update(const HorizonRollout& rollout, const UpdateOptions& options = {});

  // Updates so far; it names the draws of mini-batches and landmarks, so it belongs to a
  // checkpoint.
  std::int64_t iteration() const;
  void set_iteration(std::int64_t iteration);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace lpdm
