// What one forward pass leaves behind: the outputs of the hidden layers and of the heads on top of
// them, and room for their gradients.
#pragma once

#include <cstdint>
#include <vector>

#include "lpdm/network.h"

namespace lpdm {

// The heads on a batch of features, the last hidden layer's outputs. Borrows the network. Memory
// grows in buckets (powers of two of rows) and is kept.
class HeadActivations {
 public:
  HeadActivations(Backend& backend, Network& network);

  // The policy head's outputs of the first `kept` rows stay.
  void reserve(std::int64_t rows, std::int64_t kept = 0);
  // features: (N, last hidden width) in backend memory, to be kept until the gradients are taken.
  void forward(const Rows& rows, const float* features);
  // One head alone, on the features that there are.
  void forward_policy(const Rows& rows);
  void forward_value(const Rows& rows);
  // In place of forward.
  void set_features(const float* features) { features_ = features; }

  float* policy() { return policy_.data(); }  // (capacity, out)
  float* policy_delta() { return policy_delta_.data(); }
  // With a value head only:
  const float* values() const { return values_.data(); }  // (capacity)
  float* value_delta() { return value_delta_.data(); }

  // Weight and bias gradients of a head from its delta.
  void policy_gradient(const Rows& rows);
  void value_gradient(const Rows& rows);

 private:
  void run(const Rows& rows, const Layer& head, float* output) const;
  void gradient(const Rows& rows, Layer& head, const float* delta) const;

  Backend& backend_;
  Network& network_;
  std::int64_t capacity_ = 0;
  const float* features_ = nullptr;
  DeviceArray<float> policy_, policy_delta_;
  DeviceArray<float> values_, value_delta_;
};

// The hidden layers on a batch of observations. Borrows the network. Memory as above.
class HiddenActivations {
 public:
  HiddenActivations(Backend& backend, Network& network);

  // The outputs of the first `kept` rows stay.
  void reserve(std::int64_t rows, std::int64_t kept = 0);
  // input: (N, in) in backend memory, to be kept until the gradients are taken.
  void forward(const Rows& rows, const float* input);
  // The same for `rows` rows from row `first` on.
  void forward_from(std::int64_t first, const Rows& rows, const float* input);
  // In place of forward, where another writes the outputs.
  void set_input(const float* input) { input_ = input; }

  // From now on a local loss over all pairs of rows follows each forward pass.
  void compare_outputs() { compared_ = true; }
  bool outputs_compared() const { return compared_; }

  std::int64_t capacity() const { return capacity_; }
  const float* input(std::size_t layer) const { return layer == 0 ? input_ : output(layer - 1); }
  const float* output(std::size_t layer) const { return outputs_[layer].data(); }
  float* output(std::size_t layer) { return outputs_[layer].data(); }
  const float* features() const { return outputs_.back().data(); }
  float* delta(std::size_t layer) { return deltas_[layer].data(); }  // of the pre-activation

  // Weight and bias gradients of one layer from its delta.
  void layer_gradient(const Rows& rows, std::size_t layer);
  // Deltas of all hidden layers from the heads' deltas. value_scale: weight of the value loss,
  // which only layers that learn from both losses need (paper section 4.2).
  void backpropagate(const Rows& rows, HeadActivations& heads, double value_scale);

 private:
  DenseInputGradient through(const Rows& rows, const Layer& above, std::size_t below);

  Backend& backend_;
  Network& network_;
  std::int64_t capacity_ = 0;
  const float* input_ = nullptr;
  std::vector<DeviceArray<float>> outputs_;  // per layer (capacity, out)
  std::vector<DeviceArray<float>> deltas_;   // per layer (capacity, out)
  bool compared_ = false;
};

// The number of rows to allocate for n: the next power of two, at least 64.
std::int64_t row_bucket(std::int64_t n);

}  // namespace lpdm
