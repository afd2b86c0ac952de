// REINFORCE on whole episodes: one update of a network from one batch.
//
// Owns everything an update needs in backend memory; the network belongs to the caller and must
// outlive it. Hidden layers learn by hidden.method, the head by the policy gradient (paper
// sections 3 and 4).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "lpdm/backend.h"
#include "lpdm/batch.h"
#include "lpdm/config.h"
#include "lpdm/environment.h"
#include "lpdm/network.h"

namespace lpdm {

// A hidden layer's state of health before the update; the paper's failure signatures are a mean
// distance near 0 (collapse) and a saturated share near 1.
struct LayerDiagnostics {
  double loss = 0.0;           // the local loss, also where the layer does not learn by it
  double correlation = 0.0;    // of T with D̄_Y
  double mean_distance = 0.0;  // of D̄_Y, over all kept entries
  double mean_abs = 0.0;       // of y
  double saturated = 0.0;      // share of |y| > 0.99
  double gradient_norm = 0.0;  // before the clip; 0 for frozen layers
};

struct UpdateReport {
  double policy_loss = 0.0;              // before the step
  std::vector<LayerDiagnostics> layers;  // empty unless asked for
};

struct UpdateOptions {
  bool diagnostics = false;
  // Landmark rows to use instead of drawn ones (tests, `lpdm loss`).
  std::optional<std::vector<std::int64_t>> landmarks;
};

class Reinforce {
 public:
  // Uses config.algorithm, hidden, head, policy and run.seed.
  Reinforce(Backend& backend, Network& network, const ActionSpace& action, const Config& config);
  ~Reinforce();

  // Learns from one batch. Throws NumericalError if a loss or gradient is not finite; the network
  // is then no longer usable.
  UpdateReport update(const Batch& batch, const UpdateOptions& options = {});

  // Updates so far; it names the landmark draws, so it belongs to a checkpoint.
  std::int64_t iteration() const;
  void set_iteration(std::int64_t iteration);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace lpdm
