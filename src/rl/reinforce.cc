#include "lpdm/reinforce.h"

#include <fmt/format.h>

#include <cmath>

#include "lpdm/error.h"
#include "nn/activations.h"
#include "rl/hidden_learner.h"

namespace lpdm {

namespace {

void require(bool condition, const char* what) {
  if (!condition) throw Error(fmt::format("a batch for an update is inconsistent: {}", what));
}

void check_shapes(const Batch& batch, const NetworkShape& shape, const ActionSpace& action) {
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
}

}  // namespace

struct Reinforce::Impl {
  Impl(Backend& backend_in, Network& network_in, const ActionSpace& action_in, const Config& config)
      : backend(backend_in),
        network(network_in),
        action(action_in),
        algorithm(config.algorithm),
        policy(config.policy),
        activations(backend, network),
        learner(backend, network, activations, config),
        row_count(backend, 1),
        episode_count(backend, 1),
        iteration(backend, 1),
        loss(backend, 1) {}

  void upload(const Batch& batch) {
    if (batch.rows() > activations.capacity()) {
      activations.reserve(batch.rows());
      const std::int64_t capacity = activations.capacity();
      observations = DeviceArray<float>(backend, capacity * batch.observation_size);
      actions = DeviceArray<float>(backend, capacity * batch.action_width);
      rewards = DeviceArray<float>(backend, capacity);
      returns = DeviceArray<float>(backend, capacity);
    }
    const auto episodes = static_cast<std::int64_t>(batch.episode_ends.size());
    if (episodes > episode_ends.size()) {
      episode_ends = DeviceArray<std::int64_t>(backend, row_bucket(episodes));
    }
    observations.write(batch.observations);
    actions.write(batch.actions);
    rewards.write(batch.rewards);
    episode_ends.write(batch.episode_ends);
    row_count.write(std::vector<std::int64_t>{batch.rows()});
    episode_count.write(std::vector<std::int64_t>{episodes});
    iteration.write(std::vector<std::int64_t>{updates});
  }

  Rows rows() const { return {.count = row_count.data(), .capacity = activations.capacity()}; }

  void policy_loss() {
    const std::size_t head = network.hidden().size();
    if (action.discrete) {
      backend.categorical_loss({.rows = rows(),
                                .actions_count = action.size,
                                .logits = activations.output(head),
                                .actions = actions.data(),
                                .weights = returns.data(),
                                .delta = activations.delta(head),
                                .loss = loss.data()});
    } else {
      backend.gaussian_loss({.rows = rows(),
                             .dimensions = action.size,
                             .std = policy.std,
                             .mean = activations.output(head),
                             .actions = actions.data(),
                             .weights = returns.data(),
                             .delta = activations.delta(head),
                             .loss = loss.data()});
    }
    activations.layer_gradient(rows(), head);
  }

  UpdateReport update(const Batch& batch, const UpdateOptions& options) {
    check_shapes(batch, network.shape(), action);
    upload(batch);
    activations.forward(rows(), observations.data());
    backend.discounted_returns({.rows = rows(),
                                .rewards = rewards.data(),
                                .episode_ends = episode_ends.data(),
                                .episode_count = episode_count.data(),
                                .discount = algorithm.discount,
                                .normalize = algorithm.normalize_returns,
                                .returns = returns.data()});
    policy_loss();
    const HiddenLearner::Inputs inputs{
        .rows = rows(),
        .values = returns.data(),
        .iteration = iteration.data(),
        .landmarks = options.landmarks ? &*options.landmarks : nullptr,
        .episode_ends = episode_ends.data(),
        .episode_count = episode_count.data(),
        .diagnostics = options.diagnostics};
    learner.compute_gradients(inputs);
    learner.step();
    ++updates;

    UpdateReport report{.policy_loss = loss.read().front(), .layers = {}};
    if (!std::isfinite(report.policy_loss)) {
      throw NumericalError(
          fmt::format("the policy loss is {}; lower the learning rates or check the rewards",
                      report.policy_loss));
    }
    learner.check_finite();
    if (options.diagnostics) report.layers = learner.diagnostics(inputs);
    return report;
  }

  Backend& backend;
  Network& network;
  ActionSpace action;
  AlgorithmConfig algorithm;
  PolicyConfig policy;
  Activations activations;
  HiddenLearner learner;
  std::int64_t updates = 0;
  DeviceArray<float> observations;          // (capacity, observation_size)
  DeviceArray<float> actions;               // (capacity, action_width)
  DeviceArray<float> rewards;               // (capacity)
  DeviceArray<float> returns;               // (capacity)
  DeviceArray<std::int64_t> episode_ends;   // (episodes)
  DeviceArray<std::int64_t> row_count;      // (1)
  DeviceArray<std::int64_t> episode_count;  // (1)
  DeviceArray<std::int64_t> iteration;      // (1)
  DeviceArray<double> loss;                 // (1)
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
