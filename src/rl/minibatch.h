// One mini-batch of a rollout in backend memory: the rows that a gradient step learns from.
#pragma once

#include <cstdint>

#include "lpdm/backend.h"
#include "lpdm/network.h"
#include "rl/rollout_buffer.h"

namespace lpdm {

class Minibatch {
 public:
  // Of at most `capacity` rows. Borrows backend and network. on_features: the inputs are the
  // buffer's last hidden outputs in place of its observations.
  Minibatch(Backend& backend, Network& network, std::int64_t capacity, std::int64_t action_width,
            bool on_features);

  // Takes the rows index[0 .. *count) of the buffer; both are in backend memory, and count is kept.
  // normalize: standardises the advantages.
  void gather(RolloutBuffer& buffer, const std::int64_t* index, const std::int64_t* count,
              bool normalize);

  Rows rows() const { return {.count = count_, .capacity = capacity_}; }
  const float* inputs() const { return inputs_.data(); }  // (N, observation_size or features)
  const float* actions() const { return actions_.data(); }
  const float* old_outputs() const { return old_outputs_.data(); }
  const float* old_values() const { return old_values_.data(); }
  const float* advantages() const { return advantages_.data(); }
  const float* returns() const { return returns_.data(); }

 private:
  Backend& backend_;
  std::int64_t capacity_;
  bool on_features_;
  std::int64_t input_width_;
  std::int64_t output_width_;
  std::int64_t action_width_;
  const std::int64_t* count_ = nullptr;
  DeviceArray<float> inputs_;
  DeviceArray<float> actions_;
  DeviceArray<float> old_outputs_;
  DeviceArray<float> old_values_;
  DeviceArray<float> advantages_;
  DeviceArray<float> returns_;
};

}  // namespace lpdm
