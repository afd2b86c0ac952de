#include "lpdm/reinforce.h"

#include <fmt/format.h>

#include <memory>
#include <optional>

#include "lpdm/error.h"
#include "nn/activations.h"
#include "rl/hidden_learner.h"
#include "rl/parameter_group.h"
#include "rl/policy_head.h"
#include "rl/value_head.h"

namespace lpdm {

namespace {

void require(bool condition, const char* what) {
  if (!condition) throw Error(fmt::format("a batch for an update is inconsistent: {}", what));
}

void check_shapes(const Batch& batch, const NetworkShape& shape, const ActionSpace& action,
                  bool baseline) {
  const auto rows = static_cast<std::size_t>(batch.rows());
  require(rows > 0, "it has no rows");
  require(batch.observation_size == shape.input, "observations do not fit the network's input");
  require(batch.action_width == action.width(), "actions do not fit the environment's");
  require(batch.observations.size() == rows * static_cast<std::size_t>(shape.input),
          "observations and rewards differ in rows");
  require(batch.actions.size() == rows * static_cast<std::size_t>(action.width()),
          "actions and rewards differ in rows");
  std::int64_t previous = 0;
  for (const std::int64_t end : batch.episode_ends) {
    require(end > previous, "episode_ends must ascend");
    previous = end;
  }
  require(previous == batch.rows(), "the last episode must end with the last row");
  if (!baseline) return;
  require(batch.final_observations.size() ==
              batch.episode_ends.size() * static_cast<std::size_t>(shape.input),
          "a learned baseline needs the final observation of every episode");
  require(batch.truncated.size() == batch.episode_ends.size(),
          "a learned baseline needs to know of every episode whether it was truncated");
}

}  // namespace

struct Reinforce::Impl {
  Impl(Backend& backend_in, Network& network_in, const ActionSpace& action_in, const Config& config)
      : backend(backend_in),
        network(network_in),
        action(action_in),
        algorithm(config.algorithm),
        value_steps(config.value.steps),
        learns_by_backprop(config.hidden.method == HiddenMethod::kBackprop),
        hidden(backend, network),
        heads(backend, network),
        policy_head(backend, network, action, config),
        learner(backend, network, hidden, config),
        row_count(backend, 1),
        seen_count(backend, 1),
        episode_count(backend, 1),
        iteration(backend, 1),
        rate_factor(backend, 1),
        losses(backend, 2),
        refit_loss(backend, 1),
        recording(backend.make_recording()) {
    if (baseline()) value_head.emplace(backend, network, config);
  }

  bool baseline() const { return algorithm.name == AlgorithmName::kReinforceBaseline; }

  void reserve(const Batch& batch, std::int64_t seen) {
    if (seen > hidden.capacity()) {
      recording->forget();
      hidden.reserve(seen);
      heads.reserve(seen);
      const std::int64_t capacity = hidden.capacity();
      observations = DeviceArray<float>(backend, capacity * batch.observation_size);
      actions = DeviceArray<float>(backend, capacity * batch.action_width);
      rewards = DeviceArray<float>(backend, capacity);
      returns = DeviceArray<float>(backend, capacity);
      if (baseline()) advantages = DeviceArray<float>(backend, capacity);
    }
    const auto episodes = static_cast<std::int64_t>(batch.episode_ends.size());
    if (episodes > episode_ends.size()) {
      recording->forget();
      episode_ends = DeviceArray<std::int64_t>(backend, row_bucket(episodes));
      truncated = DeviceArray<std::uint8_t>(backend, row_bucket(episodes));
    }
  }

  // With a baseline the final observations follow the batch's rows.
  void upload(const Batch& batch, double learning_rate_factor) {
    const auto episodes = static_cast<std::int64_t>(batch.episode_ends.size());
    const std::int64_t seen = batch.rows() + (baseline() ? episodes : 0);
    reserve(batch, seen);
    observations.write(batch.observations);
    if (baseline()) {
      observations.write(batch.final_observations, batch.rows() * batch.observation_size);
      truncated.write(batch.truncated);
    }
    actions.write(batch.actions);
    rewards.write(batch.rewards);
    episode_ends.write(batch.episode_ends);
    row_count.write(std::vector<std::int64_t>{batch.rows()});
    seen_count.write(std::vector<std::int64_t>{seen});
    episode_count.write(std::vector<std::int64_t>{episodes});
    iteration.write(std::vector<std::int64_t>{updates});
    rate_factor.write(std::vector<double>{learning_rate_factor});
  }

  Rows rows() const { return {.count = row_count.data(), .capacity = hidden.capacity()}; }
  Rows seen_rows() const { return {.count = seen_count.data(), .capacity = hidden.capacity()}; }

  // Returns, and what the log-probabilities are weighted with.
  const float* compute_weights() {
    backend.discounted_returns({.rows = rows(),
                                .rewards = rewards.data(),
                                .episode_ends = episode_ends.data(),
                                .episode_count = episode_count.data(),
                                .discount = algorithm.discount,
                                .normalize = algorithm.normalize_returns && !baseline(),
                                .values = baseline() ? heads.values() : nullptr,
                                .bootstrap = truncated.data(),
                                .returns = returns.data()});
    if (!baseline()) return returns.data();
    backend.advantages({.rows = rows(),
                        .returns = returns.data(),
                        .values = heads.values(),
                        .normalize = algorithm.normalize_returns,
                        .advantages = advantages.data()});
    return advantages.data();
  }

  // The first step of the value head is made from the forward pass that all others learn from; the
  // next ones refit it to the same features.
  void fit_baseline() {
    value_head->step(rate_factor.data());
    for (std::int64_t step = 1; step < value_steps; ++step) {
      heads.forward_value(rows());
      value_head->loss(heads, value_targets(refit_loss.data()));
      value_head->step(rate_factor.data());
    }
  }

  ValueHead::Targets value_targets(double* loss) const {
    return {.rows = rows(), .returns = returns.data(), .loss = loss};
  }

  UpdateReport update(const Batch& batch, const UpdateOptions& options) {
    check_shapes(batch, network.shape(), action, baseline());
    upload(batch, options.rate_factor);
    const HiddenLearner::Inputs inputs{
        .rows = rows(),
        .values = baseline() ? heads.values() : returns.data(),
        .iteration = iteration.data(),
        .landmarks = options.landmarks ? &*options.landmarks : nullptr,
        .episode_ends = episode_ends.data(),
        .episode_count = episode_count.data(),
        .diagnostics = options.diagnostics};
    const TimeMark start = backend.mark();
    if (options.landmarks) {
      learn(inputs);
      recording->forget();  // the given rows may have taken new memory
    } else {
      recording->enqueue(options.diagnostics ? 1 : 0, [&] { learn(inputs); });
    }
    const TimeMark end = backend.mark();
    ++updates;
    UpdateReport done = report(inputs);
    done.device_seconds = backend.seconds_between(start, end);
    return done;
  }

  // The ops of one update, on what has been uploaded.
  void learn(const HiddenLearner::Inputs& inputs) {
    const float* weights = nullptr;
    backend.parallel(2, [&](std::int64_t branch) {
      if (branch == 0) {
        hidden.forward(seen_rows(), observations.data());
        heads.forward(seen_rows(), hidden.features());
      } else if (!baseline()) {
        weights = compute_weights();
        learner.prepare_target(inputs);
      }
    });
    if (baseline()) weights = compute_weights();  // from the values just computed
    backend.parallel(3, [&](std::int64_t branch) {
      if (branch == 0) {
        policy_head.reinforce_loss(rows(), heads, actions.data(), weights, losses.data());
      } else if (branch == 1 && baseline()) {
        value_head->loss(heads, value_targets(losses.data() + 1));
      } else if (branch == 2 && !learns_by_backprop) {
        learn_hidden(inputs);
      }
    });
    if (learns_by_backprop) learn_hidden(inputs);  // from the heads' deltas
    policy_head.step(learner.shared_slices(), rate_factor.data());
    if (baseline()) fit_baseline();
  }

  void learn_hidden(const HiddenLearner::Inputs& inputs) {
    learner.compute_gradients(inputs, &heads);
    learner.step(rate_factor.data());
  }

  UpdateReport report(const HiddenLearner::Inputs& inputs) {
    const std::vector<double> loss = losses.read();
    UpdateReport report{.policy_loss = loss[0], .value_loss = {}, .ppo = {}, .layers = {}};
    check_loss_finite(loss[0], "policy");
    if (baseline()) {
      check_loss_finite(loss[1], "value");
      check_gradient_finite(network.value_head()->parameters(), "the value head");
      report.value_loss = loss[1];
    }
    learner.check_finite(inputs.diagnostics);
    check_gradient_finite(network.head().parameters(), "the policy head");
    if (const Parameters* log_std = network.log_std()) {
      check_gradient_finite(*log_std, "the standard deviations");
    }
    if (inputs.diagnostics) learner.diagnose(inputs, report);
    return report;
  }

  Backend& backend;
  Network& network;
  ActionSpace action;
  AlgorithmConfig algorithm;
  std::int64_t value_steps;
  bool learns_by_backprop;
  HiddenActivations hidden;
  HeadActivations heads;
  PolicyHead policy_head;
  std::optional<ValueHead> value_head;
  HiddenLearner learner;
  std::int64_t updates = 0;
  DeviceArray<float> observations;          // (capacity, observation_size)
  DeviceArray<float> actions;               // (capacity, action_width)
  DeviceArray<float> rewards;               // (capacity)
  DeviceArray<float> returns;               // (capacity)
  DeviceArray<float> advantages;            // (capacity), with a baseline
  DeviceArray<std::int64_t> episode_ends;   // (episodes)
  DeviceArray<std::uint8_t> truncated;      // (episodes), with a baseline
  DeviceArray<std::int64_t> row_count;      // (1), N
  DeviceArray<std::int64_t> seen_count;     // (1), N and the final observations
  DeviceArray<std::int64_t> episode_count;  // (1)
  DeviceArray<std::int64_t> iteration;      // (1)
  DeviceArray<double> rate_factor;          // (1)
  DeviceArray<double> losses;               // (2), of policy and value
  DeviceArray<double> refit_loss;           // (1)
  std::unique_ptr<Recording> recording;     // of the ops of an update
};

Reinforce::Reinforce(Backend& backend, Network& network, const ActionSpace& action,
                     const Config& config)
    : impl_(std::make_unique<Impl>(backend, network, action, config)) {}
Reinforce::~Reinforce() = default;

UpdateReport Reinforce::update(const Batch& batch, const UpdateOptions& options) {
  return impl_->update(batch, options);
}

std::int64_t Reinforce::iteration() const { return impl_->updates; }
void Reinforce::set_iteration(std::int64_t iteration) { impl_->updates = iteration; }

}  // namespace lpdm
