#include "nn/activations.h"

#include <algorithm>
#include <bit>

namespace lpdm {

std::int64_t row_bucket(std::int64_t n) {
  constexpr std::int64_t kSmallest = 64;
  return static_cast<std::int64_t>(
      std::bit_ceil(static_cast<std::uint64_t>(std::max(n, kSmallest))));
}

Activations::Activations(Backend& backend, Network& network)
    : backend_(backend),
      network_(network),
      outputs_(network.layers().size()),
      deltas_(network.layers().size()) {}

void Activations::reserve(std::int64_t rows) {
  if (rows <= capacity_) return;
  capacity_ = row_bucket(rows);
  for (std::size_t l = 0; l < outputs_.size(); ++l) {
    const std::int64_t size = capacity_ * network_.layers()[l].out();
    outputs_[l] = DeviceArray<float>(backend_, size);
    deltas_[l] = DeviceArray<float>(backend_, size);
  }
}

void Activations::forward(const Rows& rows, const float* input) {
  input_ = input;
  for (std::size_t l = 0; l < outputs_.size(); ++l) {
    const Layer& layer = network_.layers()[l];
    backend_.dense_forward({.rows = rows,
                            .in = layer.in(),
                            .out = layer.out(),
                            .activation = layer.activation(),
                            .input = this->input(l),
                            .weight = layer.weight(),
                            .bias = layer.bias(),
                            .output = outputs_[l].data()});
  }
}

void Activations::layer_gradient(const Rows& rows, std::size_t l) {
  Layer& layer = network_.layers()[l];
  backend_.dense_gradient({.rows = rows,
                           .in = layer.in(),
                           .out = layer.out(),
                           .delta = delta(l),
                           .input = input(l),
                           .weight_gradient = layer.weight_gradient(),
                           .bias_gradient = layer.bias_gradient()});
}

void Activations::backpropagate(const Rows& rows) {
  for (std::size_t l = network_.hidden().size(); l > 0; --l) {
    const Layer& above = network_.layers()[l];
    backend_.dense_input_gradient({.rows = rows,
                                   .in = above.in(),
                                   .out = above.out(),
                                   .activation = network_.layers()[l - 1].activation(),
                                   .delta = delta(l),
                                   .weight = above.weight(),
                                   .input = output(l - 1),
                                   .input_delta = delta(l - 1)});
    layer_gradient(rows, l - 1);
  }
}

}  // namespace lpdm
