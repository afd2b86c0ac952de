#include "rl/distance_matrices.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "nn/activations.h"

namespace lpdm {
namespace {

// Discounted return to go of every step.
std::vector<float> returns_to_go(const std::vector<float>& rewards, double discount) {
  std::vector<float> returns(rewards.size());
  double following = 0.0;
  for (std::size_t t = rewards.size(); t-- > 0;) {
    following = rewards[t] + discount * following;
    returns[t] = static_cast<float>(following);
  }
  return returns;
}

// The chosen rows of (any, width).
std::vector<float> pick(const std::vector<float>& values, const std::vector<std::int64_t>& chosen,
                        std::int64_t width) {
  std::vector<float> picked;
  for (const std::int64_t row : chosen) {
    const auto first = values.begin() + row * width;
    picked.insert(picked.end(), first, first + width);
  }
  return picked;
}

// scale · ‖row i − row j‖ for all i and j.
std::vector<float> all_distances(const std::vector<float>& values, std::int64_t rows,
                                 std::int64_t width, Metric metric, double scale) {
  std::vector<float> distances(static_cast<std::size_t>(rows * rows));
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = 0; j < i; ++j) {
      double sum = 0.0;
      for (std::int64_t d = 0; d < width; ++d) {
        const double difference =
            static_cast<double>(values[static_cast<std::size_t>(i * width + d)]) -
            values[static_cast<std::size_t>(j * width + d)];
        sum += metric == Metric::kL1 ? std::abs(difference) : difference * difference;
      }
      const auto distance =
          static_cast<float>(scale * (metric == Metric::kL1 ? sum : std::sqrt(sum)));
      distances[static_cast<std::size_t>(i * rows + j)] = distance;
      distances[static_cast<std::size_t>(j * rows + i)] = distance;
    }
  }
  return distances;
}

class Matrices {
 public:
  Matrices(Backend& backend, Network& network, const Config& config, const Episode& episode,
           std::int64_t max_rows)
      : backend_(backend),
        network_(network),
        config_(config),
        hidden_(backend, network),
        row_count_(backend, 1),
        scales_(backend, 1) {
    const std::int64_t length = episode.length();
    rows_ = std::min(length, max_rows);
    for (std::int64_t i = 0; i < rows_; ++i) chosen_.push_back(i * length / rows_);
    observations_ = pick(episode.observations, chosen_, network.shape().input);
    row_count_.write(std::vector<std::int64_t>{rows_});
    hidden_.reserve(rows_);
    input_ = DeviceArray<float>(backend, hidden_.capacity() * network.shape().input);
    input_.write(observations_);
    hidden_.forward(rows(), input_.data());
    if (config.hidden.loss.guided) compute_shift(episode);
    distances_ = {.rows = rows_, .length = length, .return_sum = episode.return_sum};
  }

  EpisodeDistances form() {
    evaluate_loss();
    form_target();
    for (std::size_t l = 0; l < network_.hidden().size(); ++l) form_layer(l);
    return std::move(distances_);
  }

 private:
  Rows rows() const { return {.count = row_count_.data(), .capacity = hidden_.capacity()}; }

  // What guides the loss in training: the value head's output, or else the return.
  void compute_shift(const Episode& episode) {
    shift_ = DeviceArray<float>(backend_, hidden_.capacity());
    HeadActivations heads(backend_, network_);
    DeviceArray<float> returns(backend_, hidden_.capacity());
    const bool learned = config_.algorithm.has_value_head();
    if (learned) {
      heads.reserve(rows_);
      heads.forward(rows(), hidden_.features());
    } else {
      returns.write(pick(returns_to_go(episode.rewards, config_.algorithm.discount), chosen_, 1));
    }
    backend_.guided_shift({.rows = rows(),
                           .values = learned ? heads.values() : returns.data(),
                           .shift = shift_.data()});
    host_shift_ = shift_.read();
  }

  void evaluate_loss() {
    const LocalLossConfig& loss = config_.hidden.loss;
    const PairwiseTarget target{.rows = rows(),
                                .dim = network_.shape().input,
                                .input = input_.data(),
                                .metric = loss.metric,
                                .shift = loss.guided ? shift_.data() : nullptr,
                                .guide_base = loss.guide_base};
    backend_.target_statistics({.target = target, .scales = scales_.data()});
    const auto count = static_cast<std::int64_t>(network_.hidden().size());
    DeviceArray<LocalLossStatistics> statistics(backend_, count);
    std::vector<LocalLossLayer> layers;
    for (std::size_t l = 0; l < network_.hidden().size(); ++l) {
      layers.push_back({.out = network_.hidden()[l].out(),
                        .activation = network_.hidden()[l].activation(),
                        .output = hidden_.output(l),
                        .statistics = statistics.data() + l});
    }
    backend_.local_loss({.target = target,
                         .scales = scales_.data(),
                         .scale = loss.scale,
                         .norm = loss.norm,
                         .max_gradient = loss.max_gradient,
                         .layers = layers.data(),
                         .layer_count = count});
    statistics_ = statistics.read();
  }

  void form_target() {
    const TargetScales scales = scales_.read().front();
    distances_.target =
        all_distances(observations_, rows_, network_.shape().input, config_.hidden.loss.metric,
                      scales.input_scale * scales.target_scale);
    if (!config_.hidden.loss.guided) return;
    for (std::int64_t i = 0; i < rows_; ++i) {
      for (std::int64_t j = 0; j < rows_; ++j) {
        const double shift = static_cast<double>(host_shift_[static_cast<std::size_t>(i)]) +
                             host_shift_[static_cast<std::size_t>(j)];
        distances_.target[static_cast<std::size_t>(i * rows_ + j)] +=
            static_cast<float>(shift * scales.target_scale);
      }
    }
  }

  void form_layer(std::size_t l) {
    const std::int64_t width = network_.hidden()[l].out();
    std::vector<float> outputs(static_cast<std::size_t>(rows_ * width));
    backend_.copy_to_host(outputs.data(), hidden_.output(l), outputs.size() * sizeof(float));
    const LocalLossStatistics& of_layer = statistics_[l];
    const double scale = of_layer.max_distance > 0.0 ? 1.0 / of_layer.max_distance : 0.0;
    distances_.layers.push_back(
        {.width = width,
         .loss = of_layer.loss,
         .correlation = of_layer.correlation,
         .distances = all_distances(outputs, rows_, width, config_.hidden.loss.metric, scale)});
  }

  Backend& backend_;
  Network& network_;
  const Config& config_;
  HiddenActivations hidden_;
  std::int64_t rows_ = 0;
  std::vector<std::int64_t> chosen_;
  std::vector<float> observations_;  // (N, in)
  std::vector<float> host_shift_;    // (capacity)
  DeviceArray<std::int64_t> row_count_;
  DeviceArray<float> input_;  // (N, in)
  DeviceArray<float> shift_;  // (capacity), if guided
  DeviceArray<TargetScales> scales_;
  std::vector<LocalLossStatistics> statistics_;  // (hidden layers)
  EpisodeDistances distances_;
};

}  // namespace

EpisodeDistances distance_matrices(Backend& backend, Network& network, const Config& config,
                                   const Episode& episode, std::int64_t max_rows) {
  return Matrices(backend, network, config, episode, max_rows).form();
}

}  // namespace lpdm
