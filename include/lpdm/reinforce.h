// REINFORCE on whole episodes, with or without a learned baseline: one update of a network from one
// batch.
//
// Owns everything an update needs in backend memory; the network belongs to the caller and must
// outlive it. Hidden layers learn by hidden.method, the policy head by the policy gradient, the
// value head (the baseline) by the squared error to the returns (paper sections 3 and 4).
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

class Reinforce {
 public:
  // Uses config.algorithm, hidden, head, value, policy and run.seed. With reinforce_baseline the
  // network must have a value head.
  Reinforce(Backend& backend, Network& network, const ActionSpace& action, const Config& config);
  ~Reinforce();

  // Learns from one batch, which it evaluates by a forward pass. Throws NumericalError if a loss or
  // gradient is not finite; the network is then no longer usable.
  UpdateReport update(const Batch& batch, const UpdateOptions& options = {});

  // Updates so far; it names the landmark draws, so it belongs to a checkpoint.
  std::int64_t iteration() const;
  void set_iteration(std::int64_t iteration);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace lpdm
