#include "lpdm/network.h"

#include <cmath>
#include <string>

#include "lpdm/error.h"
#include "nn/initialize.h"

namespace lpdm {

Layer::Layer(Backend& backend, std::int64_t in, std::int64_t out, Activation activation)
    : in_(in), out_(out), activation_(activation), parameters_(backend, in * out + out) {}

LayerValues Layer::values() const {
  const std::vector<float> all = parameters_.values();
  const auto bias = all.begin() + in_ * out_;
  return {std::vector<float>(all.begin(), bias), std::vector<float>(bias, all.end())};
}

void Layer::set_values(const LayerValues& values) {
  if (static_cast<std::int64_t>(values.weight.size()) != in_ * out_ ||
      static_cast<std::int64_t>(values.bias.size()) != out_) {
    throw Error("a layer of " + std::to_string(out_) + " × " + std::to_string(in_) + " was given " +
                std::to_string(values.weight.size()) + " weights and " +
                std::to_string(values.bias.size()) + " biases");
  }
  std::vector<float> all = values.weight;
  all.insert(all.end(), values.bias.begin(), values.bias.end());
  parameters_.set_values(all);
}

Network::Network(Backend& backend, const NetworkShape& shape) : shape_(shape) {
  std::int64_t in = shape.input;
  const auto add = [&](std::int64_t out, Activation activation) {
    if (in < 1 || out < 1) {
      throw UsageError("a layer of width " + std::to_string(std::min(in, out)) +
                       " was asked for; every width in network.hidden must be at least 1");
    }
    layers_.emplace_back(backend, in, out, activation);
    in = out;
  };
  for (const std::int64_t width : shape.hidden) add(width, shape.activation);
  const std::int64_t features = in;
  add(shape.output, Activation::kIdentity);
  if (shape.value_head) value_head_.emplace(backend, features, 1, Activation::kIdentity);
  if (shape.learned_std) log_std_.emplace(backend, shape.output);
}

void Network::initialize(Initialization method, std::uint64_t seed) {
  constexpr double kHeadGain = 0.01;  // starts with a policy that is nearly uniform
  const auto draw = [&](Layer& layer, double gain, std::size_t number) {
    layer.set_values(initial_values(method, layer.in(), layer.out(), gain, seed,
                                    static_cast<std::int64_t>(number)));
  };
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    draw(layers_[l], l + 1 == layers_.size() ? kHeadGain : std::sqrt(2.0), l);
  }
  if (value_head_) draw(*value_head_, 1.0, layers_.size());
}

InferenceNetwork::InferenceNetwork(Backend& backend, Network& network) : backend_(backend) {
  for (Layer& layer : network.layers()) {
    const std::int64_t padded = (layer.out() + kInferencePad - 1) / kInferencePad * kInferencePad;
    packed_.emplace_back(backend, (layer.in() + 1) * padded);
    layers_.push_back({.in = layer.in(),
                       .out = layer.out(),
                       .activation = layer.activation(),
                       .weight = layer.weight(),
                       .bias = layer.bias(),
                       .packed = packed_.back().data()});
  }
  refresh();
}

void InferenceNetwork::refresh() {
  backend_.pack_inference(
      {.layers = layers_.data(), .layer_count = static_cast<std::int64_t>(layers_.size())});
}

void InferenceNetwork::run(std::int64_t rows, const float* input, float* output,
                           float* const* hidden) {
  backend_.infer({.rows = rows,
                  .layers = layers_.data(),
                  .layer_count = static_cast<std::int64_t>(layers_.size()),
                  .input = input,
                  .output = output,
                  .hidden = hidden});
}

}  // namespace lpdm
