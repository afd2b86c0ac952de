#include "reference/update.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace lpdm::reference {

namespace {

struct HeadLoss {
  double loss = 0.0;
  Values delta;  // (n, actions)
};

HeadLoss categorical(const Values& logits, const Values& actions, const Values& weights) {
  const auto n = static_cast<std::int64_t>(weights.size());
  const auto count = static_cast<std::int64_t>(logits.size()) / n;
  HeadLoss head{0.0, Values(logits.size())};
  for (std::int64_t i = 0; i < n; ++i) {
    double total = 0.0;
    for (std::int64_t a = 0; a < count; ++a) total += std::exp(logits[i * count + a]);
    for (std::int64_t a = 0; a < count; ++a) {
      const double probability = std::exp(logits[i * count + a]) / total;
      const bool taken = a == static_cast<std::int64_t>(actions[i]);
      if (taken) head.loss -= std::log(probability) * weights[i] / static_cast<double>(n);
      head.delta[i * count + a] =
          (probability - (taken ? 1.0 : 0.0)) * weights[i] / static_cast<double>(n);
    }
  }
  return head;
}

HeadLoss gaussian(const Values& mean, const Values& actions, const Values& weights, double std) {
  const auto n = static_cast<std::int64_t>(weights.size());
  const auto count = static_cast<std::int64_t>(mean.size()) / n;
  HeadLoss head{0.0, Values(mean.size())};
  for (std::int64_t k = 0; k < n * count; ++k) {
    const double z = (actions[k] - mean[k]) / std;
    const double weight = weights[k / count] / static_cast<double>(n);
    const double log_density =
        -0.5 * z * z - std::log(std) - 0.5 * std::log(2.0 * std::numbers::pi);
    head.loss -= log_density * weight;
    head.delta[k] = -z / std * weight;
  }
  return head;
}

Values linear(const Values& h, const LayerParameters& layer, std::int64_t n) {
  const auto out = static_cast<std::int64_t>(layer.bias.size());
  const auto in = static_cast<std::int64_t>(layer.weight.size()) / out;
  Values y(static_cast<std::size_t>(n * out));
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t o = 0; o < out; ++o) {
      y[i * out + o] = layer.bias[o];
      for (std::int64_t k = 0; k < in; ++k)
        y[i * out + o] += h[i * in + k] * layer.weight[o * in + k];
    }
  }
  return y;
}

LayerParameters linear_gradients(const Values& delta, const Values& h, std::int64_t n) {
  const Values zeros(delta.size(), 0.0);  // 1 − 0² = 1: no activation
  const DenseGradients gradients = dense_tanh_gradients(delta, zeros, h, n);
  return {gradients.weight, gradients.bias};
}

// ∂/∂(outputs below) through one linear layer.
Values through_layer(const Values& delta, const LayerParameters& layer, std::int64_t n) {
  const auto out = static_cast<std::int64_t>(layer.bias.size());
  const auto in = static_cast<std::int64_t>(layer.weight.size()) / out;
  Values below(static_cast<std::size_t>(n * in), 0.0);
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t o = 0; o < out; ++o) {
      for (std::int64_t k = 0; k < in; ++k)
        below[i * in + k] += delta[i * out + o] * layer.weight[o * in + k];
    }
  }
  return below;
}

}  // namespace

Values normalized_returns(const Values& rewards, double discount) {
  Values returns(rewards.size());
  double to_go = 0.0;
  for (std::size_t i = rewards.size(); i-- > 0;) returns[i] = to_go = rewards[i] + discount * to_go;
  double mean = 0.0, variance = 0.0;
  for (const double g : returns) mean += g / static_cast<double>(returns.size());
  for (const double g : returns)
    variance += (g - mean) * (g - mean) / static_cast<double>(returns.size());
  for (double& g : returns) g = (g - mean) / (std::sqrt(variance) + 1e-8);
  return returns;
}

ReferenceTrainer::ReferenceTrainer(std::vector<LayerParameters> layers, bool discrete,
                                   const Config& config)
    : layers_(std::move(layers)), discrete_(discrete), config_(config) {
  for (const LayerParameters& layer : layers_) {
    const std::size_t size = layer.weight.size() + layer.bias.size();
    moments_.push_back({Values(size, 0.0), Values(size, 0.0)});
  }
}

Values ReferenceTrainer::update(const UpdateBatch& batch) {
  const std::int64_t n = batch.n;
  const std::size_t hidden = layers_.size() - 1;
  const Values returns = normalized_returns(batch.rewards, config_.algorithm.discount);
  std::vector<Values> h{batch.x};
  for (std::size_t l = 0; l < hidden; ++l) {
    h.push_back(dense_tanh(h[l], layers_[l].weight, layers_[l].bias, n));
  }
  const Values outputs = linear(h[hidden], layers_[hidden], n);
  const HeadLoss head = discrete_ ? categorical(outputs, batch.actions, returns)
                                  : gaussian(outputs, batch.actions, returns, *config_.policy.std);
  std::vector<LayerParameters> gradients(layers_.size());
  gradients[hidden] = linear_gradients(head.delta, h[hidden], n);

  Values losses;
  std::vector<LocalLossResult> local;
  if (config_.hidden.method == HiddenMethod::kLpdm) {
    std::vector<LayerOutputs> outputs_of_layers;
    for (std::size_t l = 0; l < hidden; ++l) {
      outputs_of_layers.push_back({static_cast<std::int64_t>(layers_[l].bias.size()), h[l + 1]});
    }
    local = local_losses({.n = n,
                          .dim = batch.dim,
                          .out = 0,
                          .x = batch.x,
                          .y = {},
                          .values = config_.hidden.loss.guided ? returns : Values{},
                          .landmarks = batch.landmarks,
                          .options = config_.hidden.loss,
                          .previous = std::nullopt},
                         outputs_of_layers);
    for (const LocalLossResult& layer : local) losses.push_back(layer.loss);
  }
  Values above = head.delta;
  for (std::size_t l = hidden; l-- > 0;) {
    if (config_.hidden.method == HiddenMethod::kFrozen) break;
    Values grad_y;
    if (config_.hidden.method == HiddenMethod::kLpdm) {
      grad_y = local[l].grad_y;
    } else {
      grad_y = through_layer(above, layers_[l + 1], n);
      above = grad_y;
      for (std::size_t k = 0; k < above.size(); ++k) above[k] *= 1.0 - h[l + 1][k] * h[l + 1][k];
    }
    const DenseGradients dense = dense_tanh_gradients(grad_y, h[l + 1], h[l], n);
    gradients[l] = {dense.weight, dense.bias};
  }
  losses.push_back(head.loss);

  if (config_.hidden.method == HiddenMethod::kBackprop) {
    clip_and_step(0, hidden, gradients, config_.head.grad_clip);
  } else {
    clip_and_step(hidden, hidden, gradients, config_.head.grad_clip);
    for (std::size_t l = 0; l < hidden && config_.hidden.method == HiddenMethod::kLpdm; ++l) {
      clip_and_step(l, l, gradients, config_.hidden.grad_clip);
    }
  }
  return losses;
}

void ReferenceTrainer::clip_and_step(std::size_t first_layer, std::size_t last_layer,
                                     const std::vector<LayerParameters>& gradients, double clip) {
  double squared = 0.0;
  for (std::size_t l = first_layer; l <= last_layer; ++l) {
    for (const double g : gradients[l].weight) squared += g * g;
    for (const double g : gradients[l].bias) squared += g * g;
  }
  const double scale = clip > 0.0 ? std::min(1.0, clip / (std::sqrt(squared) + 1e-6)) : 1.0;
  for (std::size_t l = first_layer; l <= last_layer; ++l) {
    Moments& moments = moments_[l];
    ++moments.step;
    const double first_bias = 1.0 - std::pow(0.9, static_cast<double>(moments.step));
    const double second_bias = 1.0 - std::pow(0.999, static_cast<double>(moments.step));
    const std::size_t weights = layers_[l].weight.size();
    for (std::size_t k = 0; k < moments.first.size(); ++k) {
      const bool is_weight = k < weights;
      const double g =
          scale * (is_weight ? gradients[l].weight[k] : gradients[l].bias[k - weights]);
      double& value = is_weight ? layers_[l].weight[k] : layers_[l].bias[k - weights];
      moments.first[k] = 0.9 * moments.first[k] + 0.1 * g;
      moments.second[k] = 0.999 * moments.second[k] + 0.001 * g * g;
      value -= config_.head.learning_rate * (moments.first[k] / first_bias) /
               (std::sqrt(moments.second[k] / second_bias) + 1e-8);
    }
  }
}

}  // namespace lpdm::reference
