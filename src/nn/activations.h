// What one forward pass leaves behind: every layer's output, and room for its gradient.
#pragma once

#include <cstdint>
#include <vector>

#include "lpdm/network.h"

namespace lpdm {

// Borrows the network. Memory grows in buckets (powers of two of rows) and is kept.
class Activations {
 public:
  Activations(Backend& backend, Network& network);

  // Makes room for `rows` rows.
  void reserve(std::int64_t rows);
  // Runs all layers. input: (N, in) in backend memory, to be kept until the gradients are taken.
  void forward(const Rows& rows, const float* input);

  std::int64_t capacity() const { return capacity_; }
  const float* input(std::size_t layer) const { return layer == 0 ? input_ : output(layer - 1); }
  const float* output(std::size_t layer) const { return outputs_[layer].data(); }
  float* delta(std::size_t layer) { return deltas_[layer].data(); }  // of the pre-activation

  // weight and bias gradients of one layer from its delta.
  void layer_gradient(const Rows& rows, std::size_t layer);
  // Deltas and gradients of all layers below the head, from the head's delta.
  void backpropagate(const Rows& rows);

 private:
  Backend& backend_;
  Network& network_;
  std::int64_t capacity_ = 0;
  const float* input_ = nullptr;
  std::vector<DeviceArray<float>> outputs_;  // per layer (capacity, out)
  std::vector<DeviceArray<float>> deltas_;   // per layer (capacity, out)
};

// The number of rows to allocate for n: the next power of two, at least 64.
std::int64_t row_bucket(std::int64_t n);

}  // namespace lpdm
