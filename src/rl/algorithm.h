// One iteration of training: collect rows with the present policy, then learn from them.
#pragma once

#include <cstdint>
#include <memory>

#include "lpdm/config.h"
#include "lpdm/trainer.h"
#include "lpdm/update.h"
#include "lpdm/vector_env.h"
#include "rl/normalizer.h"
#include "rl/rollout_policy.h"

namespace lpdm {

// What an algorithm works with; all of it belongs to the trainer and outlives the algorithm.
struct AlgorithmParts {
  const Config& config;
  Backend& backend;
  VectorEnv& environments;
  Network& network;
  RolloutPolicy& policy;
  Normalizer& normalizer;
  bool in_halves = false;
};

class Algorithm {
 public:
  virtual ~Algorithm() = default;

  // Collects iteration `iteration` (from 0) and notes episodes and returns. Returns the steps made.
  virtual std::int64_t collect(std::int64_t iteration, IterationMetrics& metrics) = 0;
  // Learns from what was collected last.
  virtual UpdateReport update(const UpdateOptions& options) = 0;

  // What goes on from one iteration to the next besides network and normaliser.
  virtual void set_iteration(std::int64_t iteration) = 0;
  virtual RolloutState rollout_state() const = 0;
  virtual void restore(const RolloutState& state) = 0;
};

std::unique_ptr<Algorithm> make_algorithm(const AlgorithmParts& parts);

}  // namespace lpdm
