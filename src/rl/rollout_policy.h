// The policy as a rollout uses it: from rows of observations to actions.
//
// One thread at a time. Beside a busy pool it computes on the calling thread alone. Where updates
// are computed on a GPU, it computes there for many environments and, with a copy of the
// parameters, on the host for few (rollout.inference).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "lpdm/backend.h"
#include "lpdm/config.h"
#include "lpdm/environment.h"
#include "lpdm/network.h"
#include "lpdm/random.h"
#include "lpdm/thread_pool.h"
#include "rl/rollout_rows.h"

namespace lpdm {

class RolloutPolicy {
 public:
  // Borrows backend and network. beside_pool: run may be called while the backend's pool is busy.
  RolloutPolicy(Backend& backend, Network& network, const ActionSpace& action, const Config& config,
                std::int64_t max_rows, bool beside_pool);

  // Takes over the network's current parameters.
  void refresh();

  // observations: (rows, observation_size), outputs: (rows, head): logits or means.
  void run(std::span<const float> observations, std::span<float> outputs);
  // Whether the network that learns is the one that is run here, on the host and in its memory.
  bool fills_rows() const;
  // The same for one observation, where fills_rows(). It becomes the next of `rows`, with the
  // outputs of every layer.
  void run(std::span<const float> observation, std::span<float> output, RolloutRows& rows);

  // head: one row of outputs, action: (action.width()).
  void sample(std::span<const float> head, const StreamId& stream, std::span<float> action) const;
  void most_likely(std::span<const float> head, std::span<float> action) const;

  // (action.size), of a Gaussian policy.
  std::span<const double> std() const { return std_; }

 private:
  Backend& choose_backend(Backend& backend, const Config& config, bool beside_pool);
  Network& choose_network(Network& network);

  ThreadPool caller_{1};
  std::unique_ptr<Backend> own_backend_;  // null unless it is needed
  bool shares_memory_ = false;            // with the backend that learns
  Backend& backend_;                      // that computes the actions: choose_backend's
  Network* learner_ = nullptr;            // that copy_ is a copy of
  std::optional<Network> copy_;           // in the own backend's memory, where that is another one
  InferenceNetwork inference_;
  ActionSpace action_;
  const Parameters* log_std_;  // null: fixed
  std::vector<double> std_;    // (action.size)
  std::uint64_t seed_;
  std::int64_t observation_size_;
  DeviceArray<float> input_;   // (max_rows, observation_size)
  DeviceArray<float> output_;  // (max_rows, head)
};

}  // namespace lpdm
