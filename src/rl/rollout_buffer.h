// A rollout in backend memory, with the values, advantages and returns of its rows.
#pragma once

#include <cstdint>

#include "lpdm/backend.h"
#include "lpdm/batch.h"
#include "lpdm/config.h"
#include "lpdm/network.h"
#include "nn/activations.h"

namespace lpdm {

class RolloutBuffer {
 public:
  // Borrows backend and network, which must have a value head.
  RolloutBuffer(Backend& backend, Network& network, const Config& config);

  // Takes a rollout over and evaluates the network on it. True: its memory has been allocated anew.
  bool load(const HorizonRollout& rollout);
  // Runs the hidden layers anew on the rows, after they have learnt.
  void refresh_features() { hidden_.forward(rows(), observations_.data()); }

  std::int64_t size() const { return size_; }
  // Their capacity goes by this rollout: what is computed of it does not depend on those before it,
  // for which there may be more memory.
  Rows rows() const { return {.count = row_count_.data(), .capacity = bucket_}; }
  HiddenActivations& hidden() { return hidden_; }

  // Per row:
  const float* observations() const { return observations_.data(); }
  const float* actions() const { return actions_.data(); }
  const float* old_outputs() const { return old_outputs_.data(); }  // of the policy head
  const float* old_values() const { return heads_.values(); }       // as of load
  const float* advantages() const { return advantages_.data(); }
  const float* returns() const { return returns_.data(); }

 private:
  bool reserve(const HorizonRollout& rollout, std::int64_t seen);
  void upload(const HorizonRollout& rollout);

  Backend& backend_;
  Network& network_;
  double discount_;
  double lambda_;
  HiddenActivations hidden_;
  HeadActivations heads_;
  std::int64_t size_ = 0;
  std::int64_t bucket_ = 0;               // of rows, next observations and final ones
  DeviceArray<std::int64_t> row_count_;   // (1)
  DeviceArray<std::int64_t> seen_count_;  // (1), rows, next observations and final ones
  DeviceArray<float> observations_;       // (seen, observation_size)
  DeviceArray<float> actions_;
  DeviceArray<float> old_outputs_;
  DeviceArray<float> rewards_;
  DeviceArray<std::uint8_t> terminated_;
  DeviceArray<std::uint8_t> truncated_;
  DeviceArray<float> advantages_;
  DeviceArray<float> returns_;
};

}  // namespace lpdm
