#include "reference/local_loss.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace lpdm::reference {

namespace {

Values pairwise_distances(const Values& rows, std::int64_t n, std::int64_t dim, Metric metric) {
  Values distances(static_cast<std::size_t>(n * n), 0.0);
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j < n; ++j) {
      double sum = 0.0;
      for (std::int64_t d = 0; d < dim; ++d) {
        const double difference = rows[i * dim + d] - rows[j * dim + d];
        sum += metric == Metric::kL1 ? std::abs(difference) : difference * difference;
      }
      distances[i * n + j] = metric == Metric::kL1 ? sum : std::sqrt(sum);
    }
  }
  return distances;
}

double max_kept(const Values& matrix, const std::vector<bool>& kept) {
  double largest = 0.0;
  for (std::size_t k = 0; k < matrix.size(); ++k) {
    if (kept[k]) largest = std::max(largest, matrix[k]);
  }
  return largest;
}

void divide(Values& matrix, double by) {
  if (by == 0.0) return;
  for (double& entry : matrix) entry /= by;
}

// The number of the episode that each row belongs to; 0 for all rows of a batch without episodes.
std::vector<std::int64_t> episode_of_rows(const LocalLossInputs& inputs) {
  std::vector<std::int64_t> episode(static_cast<std::size_t>(inputs.n), 0);
  for (const std::int64_t end : inputs.episode_ends) {
    for (std::int64_t row = end; row < inputs.n; ++row) ++episode[row];
  }
  return episode;
}

std::vector<bool> kept_entries(const LocalLossInputs& inputs) {
  const std::int64_t n = inputs.n;
  std::vector<bool> landmark(static_cast<std::size_t>(n), inputs.landmarks.empty());
  for (const std::int64_t row : inputs.landmarks) landmark[row] = true;
  const std::vector<std::int64_t> episode = episode_of_rows(inputs);
  std::vector<bool> kept(static_cast<std::size_t>(n * n));
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j < n; ++j) {
      kept[i * n + j] = (landmark[i] || landmark[j]) && episode[i] == episode[j];
    }
  }
  return kept;
}

// T made of some distances, (n, n).
Values target_matrix(const LocalLossInputs& inputs, Values target, const std::vector<bool>& kept) {
  const std::int64_t n = inputs.n;
  if (!inputs.values.empty()) {
    if (inputs.options.guide_base == GuideBase::kNormalized) divide(target, max_kept(target, kept));
    const double low = *std::min_element(inputs.values.begin(), inputs.values.end());
    const double range = *std::max_element(inputs.values.begin(), inputs.values.end()) - low;
    Values g(static_cast<std::size_t>(n));
    for (std::int64_t i = 0; i < n; ++i) {
      const double v = range > 0.0 ? (inputs.values[i] - low) / range : 0.0;
      g[i] = (1.0 - v) / 2.0;
    }
    for (std::int64_t i = 0; i < n; ++i) {
      for (std::int64_t j = 0; j < n; ++j) target[i * n + j] += g[i] + g[j];
    }
  }
  divide(target, max_kept(target, kept));
  return target;
}

// Which entries count: all kept ones, or those that each row's ranking of its other entries of
// `target` keeps.
std::vector<bool> counted_entries(const LocalLossInputs& inputs, const Values& target,
                                  const std::vector<bool>& kept) {
  const SparsePairs sparse = inputs.options.pairs.sparse;
  if (sparse == SparsePairs::kNone) return kept;
  const std::int64_t n = inputs.n;
  std::vector<bool> counted(kept.size(), false);
  for (std::int64_t i = 0; i < n; ++i) {
    std::vector<std::pair<double, std::int64_t>> ranked;
    for (std::int64_t j = 0; j < n; ++j) {
      if (j != i) ranked.emplace_back(target[i * n + j], j);
    }
    std::sort(ranked.begin(), ranked.end());
    const std::size_t k = ranked.size();
    const std::size_t share = sparse == SparsePairs::kClosestFurthest ? (k + 3) / 4 : (k + 1) / 2;
    for (std::size_t rank = 0; rank < k; ++rank) {
      const bool close = sparse != SparsePairs::kFurthest && rank < share;
      const bool far = sparse != SparsePairs::kClosest && rank >= k - share;
      if (close || far) counted[i * n + ranked[rank].second] = true;
    }
  }
  return counted;
}

// The distances of the previous layer's input times 1 + |E| / max |E|, or times |E| / max |E|.
Values enlarged_distances(const LocalLossInputs& inputs, const PreviousLayer& previous) {
  Values distances =
      pairwise_distances(previous.input, inputs.n, previous.dim, inputs.options.metric);
  Values relative = previous.error;
  for (double& error : relative) error = std::abs(error);
  divide(relative, *std::max_element(relative.begin(), relative.end()));
  const double offset = inputs.options.error_rule == ErrorRule::kOnePlus ? 1.0 : 0.0;
  for (std::size_t k = 0; k < distances.size(); ++k) distances[k] *= offset + relative[k];
  return distances;
}

double correlation(const Values& a, const Values& b, const std::vector<bool>& kept) {
  double count = 0.0, mean_a = 0.0, mean_b = 0.0;
  for (std::size_t k = 0; k < a.size(); ++k) {
    if (!kept[k]) continue;
    count += 1.0;
    mean_a += a[k];
    mean_b += b[k];
  }
  if (count == 0.0) return 0.0;
  mean_a /= count;
  mean_b /= count;
  double covariance = 0.0, variance_a = 0.0, variance_b = 0.0;
  for (std::size_t k = 0; k < a.size(); ++k) {
    if (!kept[k]) continue;
    covariance += (a[k] - mean_a) * (b[k] - mean_b);
    variance_a += (a[k] - mean_a) * (a[k] - mean_a);
    variance_b += (b[k] - mean_b) * (b[k] - mean_b);
  }
  return variance_a > 0.0 && variance_b > 0.0 ? covariance / std::sqrt(variance_a * variance_b)
                                              : 0.0;
}

// ∂L/∂D̄ → ∂L/∂D, through the maximum or not.
Values distance_gradient(const Values& normalized_gradient, const Values& distances,
                         const std::vector<bool>& kept, double maximum, MaxGradient through) {
  Values gradient(normalized_gradient.size(), 0.0);
  double weighted = 0.0, ties = 0.0;
  for (std::size_t k = 0; k < gradient.size(); ++k) {
    if (!kept[k]) continue;
    gradient[k] = normalized_gradient[k] / maximum;
    weighted += normalized_gradient[k] * distances[k] / maximum;
    ties += distances[k] == maximum ? 1.0 : 0.0;
  }
  if (through == MaxGradient::kConstant) return gradient;
  for (std::size_t k = 0; k < gradient.size(); ++k) {
    if (kept[k] && distances[k] == maximum) gradient[k] -= weighted / (ties * maximum);
  }
  return gradient;
}

Values output_gradient(const LocalLossInputs& inputs, const Values& gradient,
                       const Values& distances) {
  const std::int64_t n = inputs.n;
  const std::int64_t out = inputs.out;
  Values grad_y(static_cast<std::size_t>(n * out), 0.0);
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j < n; ++j) {
      const double both = gradient[i * n + j] + gradient[j * n + i];
      for (std::int64_t d = 0; d < out; ++d) {
        const double difference = inputs.y[i * out + d] - inputs.y[j * out + d];
        const double distance = distances[i * n + j];
        const double direction = inputs.options.metric == Metric::kL1
                                     ? (difference > 0.0) - (difference < 0.0)
                                     : (distance > 0.0 ? difference / distance : 0.0);
        grad_y[i * out + d] += both * direction;
      }
    }
  }
  return grad_y;
}

}  // namespace

LocalLossResult local_loss(const LocalLossInputs& inputs) {
  const LocalLossConfig& options = inputs.options;
  const std::vector<bool> kept = kept_entries(inputs);
  const Values input_target = target_matrix(
      inputs, pairwise_distances(inputs.x, inputs.n, inputs.dim, options.metric), kept);
  const Values target =
      inputs.previous ? target_matrix(inputs, enlarged_distances(inputs, *inputs.previous), kept)
                      : input_target;
  const std::vector<bool> counted = counted_entries(inputs, input_target, kept);
  const Values distances = pairwise_distances(inputs.y, inputs.n, inputs.out, options.metric);
  const double maximum = max_kept(distances, kept);
  Values normalized = distances;
  divide(normalized, maximum);

  const double per_in =
      1.0 / static_cast<double>(inputs.previous ? inputs.previous->dim : inputs.dim);
  const double per_out = 1.0 / static_cast<double>(inputs.out);
  double s_t = 1.0, s_y = 1.0;
  if (options.scale == LossScale::kOwn) s_t = per_in, s_y = per_out;
  if (options.scale == LossScale::kCross) s_t = per_out, s_y = per_in;

  Values error(target.size(), 0.0);
  double squared = 0.0, sum_distance = 0.0, entries = 0.0;
  for (std::size_t k = 0; k < error.size(); ++k) {
    if (!counted[k]) continue;
    error[k] = s_t * target[k] - s_y * normalized[k];
    squared += error[k] * error[k];
    sum_distance += normalized[k];
    entries += 1.0;
  }
  const bool frobenius = options.norm == LossNorm::kFrobenius;
  LocalLossResult result;
  result.loss = frobenius ? std::sqrt(squared) : squared;
  result.correlation = correlation(target, normalized, counted);
  result.mean_distance = entries > 0.0 ? sum_distance / entries : 0.0;
  result.error = error;
  result.grad_y.assign(inputs.y.size(), 0.0);
  if (maximum == 0.0 || result.loss == 0.0) return result;
  Values normalized_gradient(error.size());
  for (std::size_t k = 0; k < error.size(); ++k) {
    normalized_gradient[k] = frobenius ? -s_y * error[k] / result.loss : -2.0 * s_y * error[k];
  }
  const Values gradient =
      distance_gradient(normalized_gradient, distances, kept, maximum, options.max_gradient);
  result.grad_y = output_gradient(inputs, gradient, distances);
  return result;
}

std::vector<LocalLossResult> local_losses(const LocalLossInputs& inputs,
                                          const std::vector<LayerOutputs>& layers) {
  std::vector<LocalLossResult> results;
  LocalLossInputs layer = inputs;
  for (std::size_t l = 0; l < layers.size(); ++l) {
    layer.out = layers[l].out;
    layer.y = layers[l].y;
    if (l > 0 && inputs.options.target == TargetRule::kErrorPropagation) {
      layer.previous = {.dim = l > 1 ? layers[l - 2].out : inputs.dim,
                        .input = l > 1 ? layers[l - 2].y : inputs.x,
                        .error = results.back().error};
    }
    results.push_back(local_loss(layer));
  }
  return results;
}

Values dense_tanh(const Values& h, const Values& w, const Values& b, std::int64_t n) {
  const auto out = static_cast<std::int64_t>(b.size());
  const std::int64_t in = static_cast<std::int64_t>(w.size()) / out;
  Values y(static_cast<std::size_t>(n * out));
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t o = 0; o < out; ++o) {
      double sum = b[o];
      for (std::int64_t k = 0; k < in; ++k) sum += h[i * in + k] * w[o * in + k];
      y[i * out + o] = std::tanh(sum);
    }
  }
  return y;
}

DenseGradients dense_tanh_gradients(const Values& grad_y, const Values& y, const Values& h,
                                    std::int64_t n) {
  const std::int64_t out = static_cast<std::int64_t>(y.size()) / n;
  const std::int64_t in = static_cast<std::int64_t>(h.size()) / n;
  DenseGradients gradients{Values(static_cast<std::size_t>(out * in), 0.0),
                           Values(static_cast<std::size_t>(out), 0.0)};
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t o = 0; o < out; ++o) {
      const double delta = grad_y[i * out + o] * (1.0 - y[i * out + o] * y[i * out + o]);
      gradients.bias[o] += delta;
      for (std::int64_t k = 0; k < in; ++k) gradients.weight[o * in + k] += delta * h[i * in + k];
    }
  }
  return gradients;
}

}  // namespace lpdm::reference
