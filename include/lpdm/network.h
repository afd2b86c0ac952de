// The network: hidden layers, the policy head and, for actor-critic algorithms, a value head on the
// same features; with the optimiser state of each, in backend memory.
//
// Every layer is a parameter group of its own (paper section 4.1: LPDM has an optimiser per layer);
// backpropagation treats hidden layers and policy head as one group.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "lpdm/backend.h"
#include "lpdm/config.h"
#include "lpdm/parameters.h"

namespace lpdm {

struct NetworkShape {
  std::int64_t input = 0;
  std::vector<std::int64_t> hidden;
  std::int64_t output = 0;  // of the policy head
  Activation activation = Activation::kTanh;
  bool value_head = false;   // a second head of width 1
  bool learned_std = false;  // log standard deviations of the actions, (output)

  std::int64_t layers() const { return static_cast<std::int64_t>(hidden.size()) + 1; }
};

// A layer's weight (out, in) and bias (out) on the host.
struct LayerValues {
  std::vector<float> weight;
  std::vector<float> bias;
};

// One dense layer with its Adam state.
class Layer {
 public:
  Layer(Backend& backend, std::int64_t in, std::int64_t out, Activation activation);

  std::int64_t in() const { return in_; }
  std::int64_t out() const { return out_; }
  Activation activation() const { return activation_; }

  const float* weight() const { return parameters_.value(); }
  const float* bias() const { return parameters_.value() + in_ * out_; }
  float* weight_gradient() { return parameters_.gradient(); }
  float* bias_gradient() { return parameters_.gradient() + in_ * out_; }

  // (out · in + out): the weight, then the bias.
  Parameters& parameters() { return parameters_; }
  const Parameters& parameters() const { return parameters_; }

  LayerValues values() const;
  // Throws Error if the sizes do not fit.
  void set_values(const LayerValues& values);

 private:
  std::int64_t in_;
  std::int64_t out_;
  Activation activation_;
  Parameters parameters_;
};

class Network {
 public:
  // All parameters zero; call initialize or set the layers' values. Throws UsageError for widths
  // < 1.
  Network(Backend& backend, const NetworkShape& shape);

  // Draws new parameters. torch: U(±1/√fan_in) for weights and biases, PyTorch's default for linear
  // layers; orthogonal: orthogonal weights (gain √2, policy head 0.01, value head 1), zero biases.
  // Log standard deviations stay as they are.
  void initialize(Initialization method, std::uint64_t seed);

  const NetworkShape& shape() const { return shape_; }
  std::span<Layer> layers() { return layers_; }  // hidden layers, then the policy head
  std::span<Layer> hidden() { return layers().first(layers_.size() - 1); }
  Layer& head() { return layers_.back(); }
  Layer* value_head() { return value_head_ ? &*value_head_ : nullptr; }  // null: none
  Parameters* log_std() { return log_std_ ? &*log_std_ : nullptr; }      // null: it is fixed

 private:
  NetworkShape shape_;
  std::vector<Layer> layers_;
  std::optional<Layer> value_head_;
  std::optional<Parameters> log_std_;
};

// The policy as the rollouts use it: a packed copy of the weights, refreshed after each update.
class InferenceNetwork {
 public:
  InferenceNetwork(Backend& backend, Network& network);

  // Copies the network's current parameters.
  void refresh();
  // input: (rows, in), output: (rows, out), in the backend's memory. hidden: as in Infer.
  void run(std::int64_t rows, const float* input, float* output, float* const* hidden = nullptr);

 private:
  Backend& backend_;
  std::vector<DeviceArray<float>> packed_;
  std::vector<InferenceLayer> layers_;
};

}  // namespace lpdm
