// What is behind Reinforce: one update from one batch, whose rows a rollout may have evaluated.
//
// Owns everything an update needs in backend memory; borrows the network.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "lpdm/backend.h"
#include "lpdm/batch.h"
#include "lpdm/config.h"
#include "lpdm/environment.h"
#include "lpdm/network.h"
#include "lpdm/update.h"
#include "rl/hidden_learner.h"
#include "rl/policy_head.h"
#include "rl/rollout_rows.h"
#include "rl/value_head.h"

namespace lpdm {

class ReinforceUpdate {
 public:
  // As Reinforce.
  ReinforceUpdate(Backend& backend, Network& network, const ActionSpace& action,
                  const Config& config);
  ReinforceUpdate(const ReinforceUpdate&) = delete;
  ReinforceUpdate& operator=(const ReinforceUpdate&) = delete;

  // Learns from any batch, by a forward pass of its own.
  UpdateReport update(const Batch& batch, const UpdateOptions& options);

  // Where a rollout puts the rows of the next update as its policy evaluates them.
  RolloutRows& rows() { return rows_; }
  // Learns from the batch whose rows have been put there by the network as it still is, and from
  // what was computed then; they serve one update. Throws Error if they are others.
  UpdateReport update_played(const Batch& batch, const UpdateOptions& options);

  // Updates so far.
  std::int64_t iteration() const { return updates_; }
  void set_iteration(std::int64_t iteration);

 private:
  // Who has evaluated the batch's rows.
  enum class Evaluated { kNobody, kRollout };

  bool baseline() const { return algorithm_.name == AlgorithmName::kReinforceBaseline; }
  void check_shapes(const Batch& batch) const;
  UpdateReport run(const Batch& batch, const UpdateOptions& options, Evaluated evaluated);
  void reserve(const Batch& batch, std::int64_t seen);
  void upload(const Batch& batch, double learning_rate_factor, Evaluated evaluated);
  Rows batch_rows() const { return {.count = row_count_.data(), .capacity = bucket_}; }
  Rows seen_rows() const { return {.count = seen_count_.data(), .capacity = bucket_}; }
  void evaluate(Evaluated evaluated);
  void learn(const HiddenLearner::Inputs& inputs, Evaluated evaluated);
  void learn_policy(const float* weights, Evaluated evaluated);
  void learn_hidden(const HiddenLearner::Inputs& inputs);
  void backpropagate(const HiddenLearner::Inputs& inputs);
  const float* compute_weights();
  void fit_baseline();
  ValueHead::Targets value_targets(double* loss) const;
  UpdateReport report(const HiddenLearner::Inputs& inputs);

  Backend& backend_;
  Network& network_;
  ActionSpace action_;
  AlgorithmConfig algorithm_;
  std::int64_t value_steps_;
  bool learns_by_backprop_;
  RolloutRows rows_;  // with a baseline the final observations follow the batch's rows
  PolicyHead policy_head_;
  std::optional<ValueHead> value_head_;
  HiddenLearner learner_;
  std::int64_t updates_ = 0;
  // Of the latest batch's rows and final observations: what is computed of a batch does not depend
  // on those before it, for which there may be more memory.
  std::int64_t bucket_ = 0;
  DeviceArray<float> actions_;               // (capacity, action_width)
  DeviceArray<float> rewards_;               // (capacity)
  DeviceArray<float> returns_;               // (capacity)
  DeviceArray<float> advantages_;            // (capacity), with a baseline
  DeviceArray<std::int64_t> episode_ends_;   // (episodes)
  DeviceArray<std::uint8_t> truncated_;      // (episodes), with a baseline
  DeviceArray<std::int64_t> row_count_;      // (1), N
  DeviceArray<std::int64_t> seen_count_;     // (1), N and the final observations
  DeviceArray<std::int64_t> episode_count_;  // (1)
  DeviceArray<std::int64_t> iteration_;      // (1), updates_
  DeviceArray<double> rate_factor_;          // (1)
  DeviceArray<double> losses_;               // (2), of policy and value
  DeviceArray<double> refit_loss_;           // (1)
  std::unique_ptr<Recording> recording_;     // of the ops of an update
};

}  // namespace lpdm
