#include "nn/activations.h"

#include <algorithm>
#include <bit>

namespace lpdm {

std::int64_t row_bucket(std::int64_t n) {
  constexpr std::int64_t kSmallest = 64;
  return static_cast<std::int64_t>(
      std::bit_ceil(static_cast<std::uint64_t>(std::max(n, kSmallest))));
}

HeadActivations::HeadActivations(Backend& backend, Network& network)
    : backend_(backend), network_(network) {}

void HeadActivations::reserve(std::int64_t rows, std::int64_t kept) {
  if (rows <= capacity_) return;
  capacity_ = row_bucket(rows);
  const std::int64_t out = network_.head().out();
  const std::int64_t size = capacity_ * out;
  policy_ = DeviceArray<float>(backend_, size, policy_, kept * out);
  policy_delta_ = DeviceArray<float>(backend_, size);
  if (network_.value_head() == nullptr) return;
  values_ = DeviceArray<float>(backend_, capacity_);
  value_delta_ = DeviceArray<float>(backend_, capacity_);
}

void HeadActivations::run(const Rows& rows, const Layer& head, float* output) const {
  backend_.dense_forward({.rows = rows,
                          .in = head.in(),
                          .out = head.out(),
                          .activation = head.activation(),
                          .input = features_,
                          .weight = head.weight(),
                          .bias = head.bias(),
                          .output = output});
}

void HeadActivations::forward(const Rows& rows, const float* features) {
  features_ = features;
  backend_.parallel(2, [&](std::int64_t branch) {
    if (branch == 0) {
      forward_policy(rows);
    } else if (network_.value_head() != nullptr) {
      forward_value(rows);
    }
  });
}

void HeadActivations::forward_policy(const Rows& rows) {
  run(rows, network_.head(), policy_.data());
}

void HeadActivations::forward_value(const Rows& rows) {
  run(rows, *network_.value_head(), values_.data());
}

void HeadActivations::gradient(const Rows& rows, Layer& head, const float* delta) const {
  backend_.dense_gradient({.rows = rows,
                           .in = head.in(),
                           .out = head.out(),
                           .delta = delta,
                           .input = features_,
                           .weight_gradient = head.weight_gradient(),
                           .bias_gradient = head.bias_gradient()});
}

void HeadActivations::policy_gradient(const Rows& rows) {
  gradient(rows, network_.head(), policy_delta_.data());
}

void HeadActivations::value_gradient(const Rows& rows) {
  gradient(rows, *network_.value_head(), value_delta_.data());
}

HiddenActivations::HiddenActivations(Backend& backend, Network& network)
    : backend_(backend),
      network_(network),
      outputs_(network.hidden().size()),
      deltas_(network.hidden().size()) {}

void HiddenActivations::reserve(std::int64_t rows, std::int64_t kept) {
  if (rows <= capacity_) return;
  capacity_ = row_bucket(rows);
  for (std::size_t l = 0; l < outputs_.size(); ++l) {
    const std::int64_t out = network_.hidden()[l].out();
    const std::int64_t size = capacity_ * out;
    outputs_[l] = DeviceArray<float>(backend_, size, outputs_[l], kept * out);
    deltas_[l] = DeviceArray<float>(backend_, size);
  }
}

void HiddenActivations::forward(const Rows& rows, const float* input) {
  forward_from(0, rows, input);
}

void HiddenActivations::forward_from(std::int64_t first, const Rows& rows, const float* input) {
  input_ = input;
  for (std::size_t l = 0; l < outputs_.size(); ++l) {
    const Layer& layer = network_.hidden()[l];
    backend_.dense_forward({.rows = rows,
                            .in = layer.in(),
                            .out = layer.out(),
                            .activation = layer.activation(),
                            .input = this->input(l) + first * layer.in(),
                            .weight = layer.weight(),
                            .bias = layer.bias(),
                            .output = output(l) + first * layer.out(),
                            .compared = compared_ && first == 0});
  }
}

void HiddenActivations::layer_gradient(const Rows& rows, std::size_t l) {
  Layer& layer = network_.hidden()[l];
  backend_.dense_gradient({.rows = rows,
                           .in = layer.in(),
                           .out = layer.out(),
                           .delta = delta(l),
                           .input = input(l),
                           .weight_gradient = layer.weight_gradient(),
                           .bias_gradient = layer.bias_gradient()});
}

DenseInputGradient HiddenActivations::through(const Rows& rows, const Layer& above,
                                              std::size_t below) {
  return {.rows = rows,
          .in = above.in(),
          .out = above.out(),
          .activation = network_.hidden()[below].activation(),
          .weight = above.weight(),
          .input = output(below),
          .input_delta = delta(below)};
}

void HiddenActivations::backpropagate(const Rows& rows, HeadActivations& heads,
                                      double value_scale) {
  for (std::size_t l = outputs_.size(); l-- > 0;) {
    const bool last = l + 1 == outputs_.size();
    DenseInputGradient op = through(rows, last ? network_.head() : network_.hidden()[l + 1], l);
    op.delta = last ? heads.policy_delta() : delta(l + 1);
    if (last && network_.value_head() != nullptr) {
      op.value_delta = heads.value_delta();
      op.value_weight = network_.value_head()->weight();
      op.value_scale = value_scale;
    }
    backend_.dense_input_gradient(op);
  }
}

}  // namespace lpdm
