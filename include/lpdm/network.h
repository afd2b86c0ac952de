// The policy network: hidden layers and one head, with the optimiser state of each, in backend
// memory.
//
// Every layer is a parameter group of its own: its weights and bias lie together, with their
// gradient and Adam moments in arrays of the same layout. Backpropagation treats all layers as one
// group (paper section 4.1: LPDM has an optimiser per layer).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "lpdm/backend.h"
#include "lpdm/config.h"

namespace lpdm {

struct NetworkShape {
  std::int64_t input = 0;
  std::vector<std::int64_t> hidden;
  std::int64_t output = 0;  // of the head
  Activation activation = Activation::kTanh;

  std::int64_t layers() const { return static_cast<std::int64_t>(hidden.size()) + 1; }
};

// A layer's weight (out, in) and bias (out) on the host.
struct LayerValues {
  std::vector<float> weight;
  std::vector<float> bias;
};

// A layer's Adam state on the host; the moments are laid out as weight, then bias.
struct OptimizerState {
  std::vector<float> first_moment;   // (out · in + out)
  std::vector<float> second_moment;  // (out · in + out)
  std::int64_t step = 0;             // updates so far
};

// One dense layer with its Adam state.
class Layer {
 public:
  Layer(Backend& backend, std::int64_t in, std::int64_t out, Activation activation);

  std::int64_t in() const { return in_; }
  std::int64_t out() const { return out_; }
  Activation activation() const { return activation_; }

  const float* weight() const { return value_.data(); }
  const float* bias() const { return value_.data() + in_ * out_; }
  float* weight_gradient() { return gradient_.data(); }
  float* bias_gradient() { return gradient_.data() + in_ * out_; }

  // The whole layer as one slice of a parameter group.
  ParameterSlice slice(double learning_rate);
  std::int64_t* adam_step() { return adam_step_.data(); }
  // Norm of the gradient before the clip, of the latest update.
  double gradient_norm() const { return gradient_norm_.read().front(); }

  LayerValues values() const;
  // Throws Error if the sizes do not fit.
  void set_values(const LayerValues& values);
  OptimizerState optimizer_state() const;
  void set_optimizer_state(const OptimizerState& state);

 private:
  std::int64_t in_;
  std::int64_t out_;
  Activation activation_;
  DeviceArray<float> value_;          // (out · in + out)
  DeviceArray<float> gradient_;       // like value_
  DeviceArray<float> first_moment_;   // like value_
  DeviceArray<float> second_moment_;  // like value_
  DeviceArray<std::int64_t> adam_step_;
  DeviceArray<double> gradient_norm_;
};

class Network {
 public:
  // All parameters zero; call initialize or set the layers' values. Throws UsageError for widths
  // < 1.
  Network(Backend& backend, const NetworkShape& shape);

  // Draws new parameters. torch: U(±1/√fan_in) for weights and biases, PyTorch's default for linear
  // layers; orthogonal: orthogonal weights (gain √2, head 0.01), zero biases.
  void initialize(Initialization method, std::uint64_t seed);

  const NetworkShape& shape() const { return shape_; }
  std::span<Layer> layers() { return layers_; }  // hidden layers, then the head
  std::span<Layer> hidden() { return layers().first(layers_.size() - 1); }
  Layer& head() { return layers_.back(); }

 private:
  NetworkShape shape_;
  std::vector<Layer> layers_;
};

// The policy as the rollouts use it: a packed copy of the weights, refreshed after each update.
class InferenceNetwork {
 public:
  InferenceNetwork(Backend& backend, Network& network);

  // Copies the network's current parameters.
  void refresh();
  // input: (rows, in), output: (rows, out), in the backend's memory.
  void run(std::int64_t rows, const float* input, float* output);

 private:
  Backend& backend_;
  std::vector<DeviceArray<float>> packed_;
  std::vector<InferenceLayer> layers_;
};

}  // namespace lpdm
