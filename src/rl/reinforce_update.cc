#include "rl/reinforce_update.h"

#include <fmt/format.h>

#include <vector>

#include "lpdm/error.h"
#include "rl/parameter_group.h"

namespace lpdm {

namespace {

void require(bool condition, const char* what) {
  if (!condition) throw Error(fmt::format("a batch for an update is inconsistent: {}", what));
}

}  // namespace

ReinforceUpdate::ReinforceUpdate(Backend& backend, Network& network, const ActionSpace& action,
                                 const Config& config)
    : backend_(backend),
      network_(network),
      action_(action),
      algorithm_(config.algorithm),
      value_steps_(config.value.steps),
      learns_by_backprop_(config.hidden.method == HiddenMethod::kBackprop),
      rows_(backend, network, baseline() ? config.algorithm.episodes_per_update : 0),
      policy_head_(backend, network, action, config),
      learner_(backend, network, rows_.hidden(), config),
      row_count_(backend, 1),
      seen_count_(backend, 1),
      episode_count_(backend, 1),
      iteration_(backend, 1),
      rate_factor_(backend, 1),
      losses_(backend, 2),
      refit_loss_(backend, 1),
      recording_(backend.make_recording()) {
  if (baseline()) value_head_.emplace(backend, network, config);
  if (learner_.follow_rows(iteration_.data())) rows_.set_listener(&learner_);
}

void ReinforceUpdate::check_shapes(const Batch& batch) const {
  const NetworkShape& shape = network_.shape();
  const auto rows = static_cast<std::size_t>(batch.rows());
  require(rows > 0, "it has no rows");
  require(batch.observation_size == shape.input, "observations do not fit the network's input");
  require(batch.action_width == action_.width(), "actions do not fit the environment's");
  require(batch.observations.size() == rows * static_cast<std::size_t>(shape.input),
          "observations and rewards differ in rows");
  require(batch.actions.size() == rows * static_cast<std::size_t>(action_.width()),
          "actions and rewards differ in rows");
  std::int64_t previous = 0;
  for (const std::int64_t end : batch.episode_ends) {
    require(end > previous, "episode_ends must ascend");
    previous = end;
  }
  require(previous == batch.rows(), "the last episode must end with the last row");
  if (!baseline()) return;
  require(batch.final_observations.size() ==
              batch.episode_ends.size() * static_cast<std::size_t>(shape.input),
          "a learned baseline needs the final observation of every episode");
  require(batch.truncated.size() == batch.episode_ends.size(),
          "a learned baseline needs to know of every episode whether it was truncated");
}

void ReinforceUpdate::set_iteration(std::int64_t iteration) {
  updates_ = iteration;
  iteration_.write(std::vector<std::int64_t>{iteration});
}

UpdateReport ReinforceUpdate::update(const Batch& batch, const UpdateOptions& options) {
  check_shapes(batch);
  return run(batch, options, Evaluated::kNobody);
}

UpdateReport ReinforceUpdate::update_played(const Batch& batch, const UpdateOptions& options) {
  check_shapes(batch);
  require(rows_.holds(batch.observations), "its rows are not those of the latest rollout");
  return run(batch, options, Evaluated::kRollout);
}

UpdateReport ReinforceUpdate::run(const Batch& batch, const UpdateOptions& options,
                                  Evaluated evaluated) {
  upload(batch, options.rate_factor, evaluated);
  rows_.clear();  // the network is about to change
  const HiddenLearner::Inputs inputs{
      .rows = batch_rows(),
      .values = baseline() ? rows_.heads().values() : returns_.data(),
      .iteration = iteration_.data(),
      .landmarks = options.landmarks ? &*options.landmarks : nullptr,
      .episode_ends = episode_ends_.data(),
      .episode_count = episode_count_.data(),
      .diagnostics = options.diagnostics,
      .played = evaluated == Evaluated::kRollout};
  const TimeMark start = backend_.mark();
  if (baseline() && evaluated == Evaluated::kRollout) {
    // Their place differs from update to update, which a recording could not follow.
    rows_.forward_hidden(batch.rows(),
                         {.count = episode_count_.data(), .capacity = bucket_ - batch.rows()});
  }
  if (options.landmarks) {
    recording_->forget();  // the given rows may take new memory
    learn(inputs, evaluated);
  } else {
    const std::uint64_t variant = static_cast<std::uint64_t>(bucket_) * 4 +
                                  (options.diagnostics ? 1U : 0U) +
                                  (evaluated == Evaluated::kRollout ? 2U : 0U);
    recording_->enqueue(variant, [&] { learn(inputs, evaluated); });
  }
  const TimeMark end = backend_.mark();
  set_iteration(updates_ + 1);
  UpdateReport done = report(inputs);
  done.device_seconds = backend_.seconds_between(start, end);
  return done;
}

void ReinforceUpdate::reserve(const Batch& batch, std::int64_t seen) {
  rows_.reserve(seen);
  const std::int64_t capacity = rows_.capacity();
  if (rewards_.size() < capacity) {  // the rows have moved, now or as they were played
    recording_->forget();
    actions_ = DeviceArray<float>(backend_, capacity * batch.action_width);
    rewards_ = DeviceArray<float>(backend_, capacity);
    returns_ = DeviceArray<float>(backend_, capacity);
    if (baseline()) advantages_ = DeviceArray<float>(backend_, capacity);
  }
  const auto episodes = static_cast<std::int64_t>(batch.episode_ends.size());
  if (episodes > episode_ends_.size()) {
    recording_->forget();
    episode_ends_ = DeviceArray<std::int64_t>(backend_, row_bucket(episodes));
    truncated_ = DeviceArray<std::uint8_t>(backend_, row_bucket(episodes));
  }
}

void ReinforceUpdate::upload(const Batch& batch, double learning_rate_factor, Evaluated evaluated) {
  const auto episodes = static_cast<std::int64_t>(batch.episode_ends.size());
  const std::int64_t seen = batch.rows() + (baseline() ? episodes : 0);
  reserve(batch, seen);
  bucket_ = row_bucket(seen);
  if (evaluated == Evaluated::kNobody) rows_.write(batch.observations, 0);
  if (baseline()) {
    rows_.write(batch.final_observations, batch.rows());
    truncated_.write(batch.truncated);
  }
  actions_.write(batch.actions);
  rewards_.write(batch.rewards);
  episode_ends_.write(batch.episode_ends);
  row_count_.write(std::vector<std::int64_t>{batch.rows()});
  seen_count_.write(std::vector<std::int64_t>{seen});
  episode_count_.write(std::vector<std::int64_t>{episodes});
  rate_factor_.write(std::vector<double>{learning_rate_factor});
}

// The forward pass, or what is left of it: the rollout needed no values, and of the final
// observations only those are wanted. The policy's outputs are left to learn_policy where hidden
// layers need not wait for them.
void ReinforceUpdate::evaluate(Evaluated evaluated) {
  if (evaluated == Evaluated::kNobody) {
    rows_.forward_hidden(0, seen_rows());
    if (learns_by_backprop_) rows_.heads().forward_policy(batch_rows());
  }
  if (baseline()) rows_.heads().forward_value(seen_rows());
}

// The ops of one update, on what has been uploaded.
void ReinforceUpdate::learn(const HiddenLearner::Inputs& inputs, Evaluated evaluated) {
  const float* weights = nullptr;
  backend_.parallel(3, [&](std::int64_t branch) {
    if (branch == 0) {
      evaluate(evaluated);
    } else if (branch == 1 && !baseline()) {
      weights = compute_weights();
      if (learner_.guided()) learner_.prepare_target(inputs);
    } else if (branch == 2 && !learner_.guided()) {
      learner_.prepare_target(inputs);
    }
  });
  if (baseline()) weights = compute_weights();  // from the values just computed
  backend_.parallel(3, [&](std::int64_t branch) {
    if (branch == 0) {
      learn_policy(weights, evaluated);
    } else if (branch == 1 && baseline()) {
      value_head_->loss(rows_.heads(), value_targets(losses_.data() + 1));
    } else if (branch == 2 && !learns_by_backprop_) {
      learn_hidden(inputs);
    }
  });
  if (learns_by_backprop_) backpropagate(inputs);
  if (baseline()) fit_baseline();
}

// Its loss and, where the hidden layers do not learn from it, the policy head's step.
void ReinforceUpdate::learn_policy(const float* weights, Evaluated evaluated) {
  HeadActivations& heads = rows_.heads();
  if (evaluated == Evaluated::kNobody && !learns_by_backprop_) heads.forward_policy(batch_rows());
  policy_head_.reinforce_loss(batch_rows(), heads, actions_.data(), weights, losses_.data());
  if (learns_by_backprop_) return;
  heads.policy_gradient(batch_rows());
  policy_head_.step({}, rate_factor_.data());
}

// From the heads' deltas, and one step of all layers that learn by it.
void ReinforceUpdate::backpropagate(const HiddenLearner::Inputs& inputs) {
  backend_.parallel(2, [&](std::int64_t branch) {
    if (branch == 0) {
      rows_.heads().policy_gradient(batch_rows());
    } else {
      learn_hidden(inputs);
    }
  });
  policy_head_.step(learner_.shared_slices(), rate_factor_.data());
}

void ReinforceUpdate::learn_hidden(const HiddenLearner::Inputs& inputs) {
  learner_.compute_gradients(inputs, &rows_.heads());
  learner_.step(rate_factor_.data());
}

// Returns, and what the log-probabilities are weighted with.
const float* ReinforceUpdate::compute_weights() {
  backend_.discounted_returns({.rows = batch_rows(),
                               .rewards = rewards_.data(),
                               .episode_ends = episode_ends_.data(),
                               .episode_count = episode_count_.data(),
                               .discount = algorithm_.discount,
                               .normalize = algorithm_.normalize_returns && !baseline(),
                               .values = baseline() ? rows_.heads().values() : nullptr,
                               .bootstrap = truncated_.data(),
                               .returns = returns_.data()});
  if (!baseline()) return returns_.data();
  backend_.advantages({.rows = batch_rows(),
                       .returns = returns_.data(),
                       .values = rows_.heads().values(),
                       .normalize = algorithm_.normalize_returns,
                       .advantages = advantages_.data()});
  return advantages_.data();
}

// The first step of the value head is made from the forward pass that all others learn from; the
// next ones refit it to the same features.
void ReinforceUpdate::fit_baseline() {
  value_head_->step(rate_factor_.data());
  for (std::int64_t step = 1; step < value_steps_; ++step) {
    rows_.heads().forward_value(batch_rows());
    value_head_->loss(rows_.heads(), value_targets(refit_loss_.data()));
    value_head_->step(rate_factor_.data());
  }
}

ValueHead::Targets ReinforceUpdate::value_targets(double* loss) const {
  return {.rows = batch_rows(), .returns = returns_.data(), .loss = loss};
}

UpdateReport ReinforceUpdate::report(const HiddenLearner::Inputs& inputs) {
  const std::vector<double> loss = losses_.read();
  UpdateReport report{.policy_loss = loss[0], .value_loss = {}, .ppo = {}, .layers = {}};
  check_loss_finite(loss[0], "policy");
  if (baseline()) {
    check_loss_finite(loss[1], "value");
    check_gradient_finite(network_.value_head()->parameters(), "the value head");
    report.value_loss = loss[1];
  }
  learner_.check_finite(inputs.diagnostics);
  check_gradient_finite(network_.head().parameters(), "the policy head");
  if (const Parameters* log_std = network_.log_std()) {
    check_gradient_finite(*log_std, "the standard deviations");
  }
  if (inputs.diagnostics) learner_.diagnose(inputs, report);
  return report;
}

}  // namespace lpdm
