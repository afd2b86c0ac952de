#include "rl/hidden_learner.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "lpdm/error.h"
#include "rl/parameter_group.h"

namespace lpdm {

bool begins_early(const HiddenConfig& hidden) {
  const PairSelection& pairs = hidden.loss.pairs;
  return hidden.method == HiddenMethod::kLpdm && hidden.loss.target == TargetRule::kInput &&
         hidden.loss.block == LossBlock::kBatch && pairs.low_rank == 0 &&
         pairs.sparse == SparsePairs::kNone;
}

HiddenLearner::HiddenLearner(Backend& backend, Network& network, HiddenActivations& activations,
                             const Config& config)
    : backend_(backend),
      network_(network),
      activations_(activations),
      hidden_(config.hidden),
      value_scale_(config.value.weight),
      seed_(config.run.seed),
      landmark_count_(backend, 1),
      scales_(backend, 1),
      statistics_(backend, static_cast<std::int64_t>(network.hidden().size())),
      activation_summaries_(backend, static_cast<std::int64_t>(network.hidden().size())) {
  const PairSelection& pairs = hidden_.loss.pairs;
  if (hidden_.method == HiddenMethod::kLpdm && pairs.landmarks == 0 && pairs.low_rank == 0) {
    activations_.compare_outputs();
  }
  if (config.run.tensorboard && config.run.diagnostics_every > 0) {
    sampler_.emplace(backend, network.shape());
  }
}

bool HiddenLearner::follow_rows(const std::int64_t* iteration) {
  if (!begins_early(hidden_) || network_.hidden().empty()) return false;
  DrawLandmarks draw;
  draw.landmarks = hidden_.loss.pairs.landmarks;
  draw.seed = seed_;
  draw.iteration = iteration;
  follower_ = backend_.make_row_follower(draw.landmarks > 0 ? &draw : nullptr);
  return follower_ != nullptr;
}

void HiddenLearner::expect(std::int64_t capacity) {
  PairwiseTarget target;
  target.dim = network_.shape().input;
  target.input = activations_.input(0);
  target.metric = hidden_.loss.metric;
  following_ = follower_ != nullptr && capacity > 0 &&
               follower_->begin(local_loss(target, true, false), capacity);
}

void HiddenLearner::played(std::int64_t rows) {
  if (following_) follower_->advance(rows);
}

void HiddenLearner::pause() noexcept {
  if (following_) follower_->pause();
}

bool HiddenLearner::evaluates_local_loss(bool diagnostics) const {
  return !network_.hidden().empty() && (hidden_.method == HiddenMethod::kLpdm || diagnostics);
}

void HiddenLearner::compute_gradients(const Inputs& inputs, HeadActivations* heads) {
  // Before backpropagation writes the deltas that a local gradient would.
  if (evaluates_local_loss(inputs.diagnostics)) {
    evaluate_local_loss(inputs, hidden_.method == HiddenMethod::kLpdm);
  }
  if (hidden_.method == HiddenMethod::kFrozen) return;
  if (hidden_.method == HiddenMethod::kBackprop) {
    activations_.backpropagate(inputs.rows, *heads, value_scale_);
  }
  backend_.parallel(static_cast<std::int64_t>(network_.hidden().size()), [&](std::int64_t l) {
    activations_.layer_gradient(inputs.rows, static_cast<std::size_t>(l));
  });
}

std::int64_t HiddenLearner::select_landmarks(const Inputs& inputs) {
  const PairSelection& pairs = hidden_.loss.pairs;
  if (pairs.sparse != SparsePairs::kNone || pairs.low_rank > 0) {
    throw UsageError(
        "landmark rows were given for an update with sparse or low-rank hidden.pairs; leave them "
        "out or set hidden.pairs to all");
  }
  const auto reserve = [&](std::int64_t capacity) {
    if (landmarks_.size() < capacity) landmarks_ = DeviceArray<std::int64_t>(backend_, capacity);
    return capacity;
  };
  if (inputs.landmarks != nullptr) {
    constexpr std::uint64_t kSmallest = 16;  // few sizes: each has memory of its own on a GPU
    const std::int64_t capacity = reserve(static_cast<std::int64_t>(
        std::bit_ceil(std::max<std::uint64_t>(inputs.landmarks->size(), kSmallest))));
    landmarks_.write(*inputs.landmarks);
    landmark_count_.write(
        std::vector<std::int64_t>{static_cast<std::int64_t>(inputs.landmarks->size())});
    return capacity;
  }
  const std::int64_t wanted = reserve(hidden_.loss.pairs.landmarks);
  backend_.draw_landmarks({.rows = inputs.rows,
                           .landmarks = wanted,
                           .seed = seed_,
                           .iteration = inputs.iteration,
                           .selected = landmarks_.data(),
                           .selected_count = landmark_count_.data()});
  return wanted;
}

PairwiseTarget HiddenLearner::target(const Inputs& inputs) {
  PairwiseTarget target{.rows = inputs.rows,
                        .dim = network_.shape().input,
                        .input = activations_.input(0),
                        .metric = hidden_.loss.metric,
                        .guide_base = hidden_.loss.guide_base,
                        .sparse = hidden_.loss.pairs.sparse,
                        .low_rank = hidden_.loss.pairs.low_rank};
  if (hidden_.loss.block == LossBlock::kEpisode) {
    if (inputs.episode_ends == nullptr) {
      throw UsageError(
          "hidden.block episode needs updates from whole episodes, which this algorithm does not "
          "make; set hidden.block to batch");
    }
    target.episode_ends = inputs.episode_ends;
    target.episode_count = inputs.episode_count;
  }
  if (hidden_.loss.guided) {
    // Where the activations stay, so must this: recordings of other sizes write to it.
    if (shift_.size() < activations_.capacity()) {
      shift_ = DeviceArray<float>(backend_, activations_.capacity());
    }
    backend_.guided_shift({.rows = inputs.rows, .values = inputs.values, .shift = shift_.data()});
    target.shift = shift_.data();
  }
  if (inputs.landmarks != nullptr || hidden_.loss.pairs.landmarks > 0) {
    const std::int64_t landmark_capacity = select_landmarks(inputs);
    target.landmarks = landmarks_.data();
    target.landmark_count = landmark_count_.data();
    target.landmark_capacity = landmark_capacity;
  }
  return target;
}

void HiddenLearner::prepare_target(const Inputs& inputs) {
  if (!evaluates_local_loss(inputs.diagnostics)) return;
  target_ = target(inputs);
  backend_.target_statistics({.target = *target_,
                              .target_rule = hidden_.loss.target,
                              .scales = scales_.data(),
                              .follower = follower_of(inputs)});
}

// prepared: see LocalLossLayer.
LocalLoss HiddenLearner::local_loss(const PairwiseTarget& target, bool gradient, bool prepared) {
  layers_.clear();
  for (std::size_t l = 0; l < network_.hidden().size(); ++l) {
    layers_.push_back({.out = network_.hidden()[l].out(),
                       .activation = network_.hidden()[l].activation(),
                       .output = activations_.output(l),
                       .prepared = prepared,
                       .delta = gradient ? activations_.delta(l) : nullptr,
                       .statistics = statistics_.data() + l});
  }
  return {.target = target,
          .scales = scales_.data(),
          .target_rule = hidden_.loss.target,
          .error_rule = hidden_.loss.error_rule,
          .scale = hidden_.loss.scale,
          .norm = hidden_.loss.norm,
          .max_gradient = hidden_.loss.max_gradient,
          .layers = layers_.data(),
          .layer_count = static_cast<std::int64_t>(layers_.size())};
}

void HiddenLearner::evaluate_local_loss(const Inputs& inputs, bool gradient) {
  if (!target_) prepare_target(inputs);
  const bool prepared = activations_.outputs_compared() && !inputs.played;
  LocalLoss op = local_loss(*target_, gradient, prepared);
  target_.reset();
  op.follower = follower_of(inputs);
  following_ = false;
  backend_.local_loss(op);
}

ParameterSlice HiddenLearner::slice(std::size_t layer) {
  const auto layers = static_cast<std::int64_t>(network_.hidden().size());
  const double rate = hidden_.learning_rate.rate(static_cast<std::int64_t>(layer), layers);
  return network_.hidden()[layer].parameters().slice(rate);
}

void HiddenLearner::step(const double* rate_factor) {
  if (hidden_.method != HiddenMethod::kLpdm) return;
  backend_.parallel(static_cast<std::int64_t>(network_.hidden().size()), [&](std::int64_t l) {
    const auto layer = static_cast<std::size_t>(l);
    clip_adam_step(backend_, {slice(layer)}, hidden_.grad_clip, rate_factor,
                   network_.hidden()[layer].parameters().adam_step());
  });
}

std::vector<ParameterSlice> HiddenLearner::shared_slices() {
  std::vector<ParameterSlice> slices;
  if (hidden_.method != HiddenMethod::kBackprop) return slices;
  for (std::size_t l = 0; l < network_.hidden().size(); ++l) {
    slices.push_back(slice(l));
  }
  return slices;
}

void HiddenLearner::diagnose(const Inputs& inputs, UpdateReport& report) {
  report.layers = diagnostics(inputs);
  if (sampler_) report.sample = sampler_->take(inputs.rows, activations_);
}

std::vector<LayerDiagnostics> HiddenLearner::diagnostics(const Inputs& inputs) {
  for (std::size_t l = 0; l < network_.hidden().size(); ++l) {
    backend_.activation_statistics({.rows = inputs.rows,
                                    .out = network_.hidden()[l].out(),
                                    .output = activations_.output(l),
                                    .summary = activation_summaries_.data() + l});
  }
  const std::vector<LocalLossStatistics> statistics = statistics_.read();
  const std::vector<ActivationSummary> summaries = activation_summaries_.read();
  std::vector<LayerDiagnostics> layers;
  for (std::size_t l = 0; l < network_.hidden().size(); ++l) {
    const bool frozen = hidden_.method == HiddenMethod::kFrozen;
    layers.push_back(
        {.loss = statistics[l].loss,
         .correlation = statistics[l].correlation,
         .mean_distance = statistics[l].mean_distance,
         .mean_abs = summaries[l].mean_abs,
         .saturated = summaries[l].saturated,
         .gradient_norm = frozen ? 0.0 : network_.hidden()[l].parameters().gradient_norm()});
  }
  return layers;
}

void HiddenLearner::check_finite(bool diagnostics) {
  const std::vector<LocalLossStatistics> statistics = statistics_.read();
  for (std::size_t l = 0; l < network_.hidden().size(); ++l) {
    if (evaluates_local_loss(diagnostics) && !std::isfinite(statistics[l].loss)) {
      throw NumericalError(
          fmt::format("the local loss of hidden layer {} is {}; lower hidden.learning_rate or "
                      "check the observations",
                      l + 1, statistics[l].loss));
    }
    check_gradient_finite(network_.hidden()[l].parameters(), fmt::format("hidden layer {}", l + 1));
  }
}

}  // namespace lpdm
