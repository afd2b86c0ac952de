#include "lpdm/ppo.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "lpdm/error.h"
#include "lpdm/random.h"
#include "rl/hidden_learner.h"
#include "rl/minibatch.h"
#include "rl/parameter_group.h"
#include "rl/policy_head.h"
#include "rl/rollout_buffer.h"
#include "rl/value_head.h"

namespace lpdm {

namespace {

const Config& refuse_episode_blocks(const Config& config) {
  if (config.hidden.loss.block == LossBlock::kEpisode) {
    throw UsageError(
        "hidden.block is episode, which needs updates from whole episodes; set it to batch, or "
        "algorithm.name to reinforce or reinforce_baseline");
  }
  return config;
}

// Fisher and Yates: every order is equally likely.
void shuffle(std::vector<std::int64_t>& order, RandomStream random) {
  for (std::size_t left = order.size(); left > 1; --left) {
    const auto chosen = static_cast<std::size_t>(random.uniform() * static_cast<double>(left));
    std::swap(order[left - 1], order[chosen]);
  }
}

}  // namespace

struct Ppo::Impl {
  Impl(Backend& backend_in, Network& network_in, const ActionSpace& action_in,
       const Config& config_in)
      : backend(backend_in),
        network(network_in),
        action(action_in),
        config(refuse_episode_blocks(config_in)),
        ppo(config.algorithm.ppo),
        fixed_features(config.hidden.stays_within_epoch()),
        buffer(backend, network, config),
        minibatch(backend, network, std::min(ppo.minibatch, ppo.horizon * config.env.count),
                  action.width(), fixed_features),
        hidden(backend, network),
        heads(backend, network),
        policy_head(backend, network, action, config),
        value_head(backend, network, config),
        learner(backend, network, fixed_features ? buffer.hidden() : hidden, config),
        rate_factor(backend, 1),
        recording(backend.make_recording()) {
    hidden.reserve(fixed_features ? 0 : minibatch.rows().capacity);
    heads.reserve(minibatch.rows().capacity);
  }

  std::int64_t minibatches() const { return (buffer.size() + ppo.minibatch - 1) / ppo.minibatch; }

  // The rows are spread evenly, so that no mini-batch is much smaller than the others.
  std::int64_t first_row(std::int64_t minibatch_index) const {
    return minibatch_index * buffer.size() / minibatches();
  }

  UpdateReport update(const HorizonRollout& rollout, const UpdateOptions& options) {
    check_shapes(rollout);
    if (buffer.load(rollout)) recording->forget();
    policy_head.remember_std();
    prepare_epochs(options.rate_factor);
    UpdateReport report;
    std::int64_t epochs = 0;
    while (epochs < ppo.epochs) {
      run_epoch(epochs, options, report);
      ++epochs;
      if (ppo.kl_stop > 0.0 && epoch_kl(epochs - 1) > ppo.kl_stop) break;
    }
    ++updates;
    summarize(epochs, options, report);
    return report;
  }

  void check_shapes(const HorizonRollout& rollout) const {
    const auto require = [](bool condition, const char* what) {
      if (!condition) throw Error(fmt::format("a rollout for an update is inconsistent: {}", what));
    };
    const auto rows = static_cast<std::size_t>(rollout.rows());
    const auto width = static_cast<std::size_t>(network.shape().input);
    const auto actions = static_cast<std::size_t>(action.width());
    const auto outputs = static_cast<std::size_t>(network.shape().output);
    const auto environments = static_cast<std::size_t>(rollout.count);
    require(rollout.horizon == ppo.horizon && rollout.count == config.env.count,
            "it has not the horizon and environments of the config");
    require(rollout.observations.size() == (rows + environments) * width,
            "observations do not fit its rows and the network's input");
    require(rollout.actions.size() == rows * actions, "actions do not fit its rows");
    require(rollout.policy_outputs.size() == rows * outputs, "policy outputs do not fit its rows");
    require(rollout.rewards.size() == rows && rollout.terminated.size() == rows &&
                rollout.truncated.size() == rows,
            "rewards and flags do not fit its rows");
    std::size_t ends = 0;
    for (std::size_t i = 0; i < rows; ++i) {
      if (rollout.terminated[i] == 0 && rollout.truncated[i] == 0) continue;
      require(ends < rollout.ends.size() && rollout.ends[ends].row == static_cast<std::int64_t>(i),
              "its ends are not where its flags say");
      ++ends;
    }
    require(ends == rollout.ends.size() && rollout.final_observations.size() == ends * width,
            "its ends and final observations do not fit its flags");
  }

  // Local updates of one update, each of which draws its own landmarks.
  std::int64_t local_updates() const { return ppo.epochs * (fixed_features ? 1 : minibatches()); }

  void prepare_epochs(double learning_rate_factor) {
    if (statistics.size() < ppo.epochs * minibatches()) {
      statistics = DeviceArray<PpoLossStatistics>(backend, ppo.epochs * minibatches());
      value_losses = DeviceArray<double>(backend, ppo.epochs * minibatches());
      order = DeviceArray<std::int64_t>(backend, buffer.size());
      counts = DeviceArray<std::int64_t>(backend, minibatches());
      draws = DeviceArray<std::int64_t>(backend, local_updates());
      std::vector<std::int64_t> rows;
      for (std::int64_t m = 0; m < minibatches(); ++m) {
        rows.push_back(first_row(m + 1) - first_row(m));
      }
      counts.write(rows);
    }
    std::vector<std::int64_t> numbers(static_cast<std::size_t>(local_updates()));
    std::iota(numbers.begin(), numbers.end(), updates * local_updates());
    draws.write(numbers);
    rate_factor.write(std::vector<double>{learning_rate_factor});
    host_order.resize(static_cast<std::size_t>(buffer.size()));
    std::iota(host_order.begin(), host_order.end(), 0);
  }

  // What is diagnosed is not recorded: its results are read at once.
  void run_epoch(std::int64_t epoch, const UpdateOptions& options, UpdateReport& report) {
    const bool diagnosed = options.diagnostics && epoch == 0;
    shuffle(host_order,
            RandomStream(config.run.seed, {.purpose = StreamPurpose::kMinibatches,
                                           .episode = static_cast<std::uint32_t>(updates),
                                           .step = static_cast<std::uint32_t>(epoch)}));
    order.write(host_order);
    if (diagnosed && fixed_features) learn_features(epoch, &report);
    if (diagnosed && !fixed_features) learn_minibatch(epoch, 0, &report);
    const std::int64_t first = diagnosed && !fixed_features ? 1 : 0;
    const std::int64_t variant =
        (buffer.rows().capacity * ppo.epochs + epoch) * 2 + (diagnosed ? 1 : 0);
    recording->enqueue(static_cast<std::uint64_t>(variant), [&] {
      if (fixed_features && !diagnosed) learn_features(epoch, nullptr);
      for (std::int64_t m = first; m < minibatches(); ++m) learn_minibatch(epoch, m, nullptr);
    });
  }

  // One local update from the whole buffer; its outputs are what the mini-batches then learn on.
  // report: for its diagnostics; null: none are wanted.
  void learn_features(std::int64_t epoch, UpdateReport* report) {
    const bool lpdm = config.hidden.method == HiddenMethod::kLpdm;
    if (!lpdm && report == nullptr) return;
    const HiddenLearner::Inputs inputs =
        local_inputs(buffer.rows(), buffer.old_values(), epoch, report != nullptr);
    learner.compute_gradients(inputs, nullptr);
    learner.step(rate_factor.data());
    if (report != nullptr) learner.diagnose(inputs, *report);
    if (lpdm) buffer.refresh_features();
  }

  // report: as above.
  void learn_minibatch(std::int64_t epoch, std::int64_t m, UpdateReport* report) {
    const std::int64_t step = epoch * minibatches() + m;
    minibatch.gather(buffer, order.data() + first_row(m), counts.data() + m,
                     ppo.normalize_advantages);
    const Rows rows = minibatch.rows();
    const HiddenLearner::Inputs inputs =
        local_inputs(rows, heads.values(), fixed_features ? 0 : step, report != nullptr);
    if (!fixed_features) evaluate_hidden(inputs);
    heads.forward(rows, fixed_features ? minibatch.inputs() : hidden.features());
    const bool backprop = config.hidden.method == HiddenMethod::kBackprop;
    backend.parallel(3, [&](std::int64_t branch) {
      if (branch == 0) {
        policy_loss(step);
        if (!backprop) step_policy();
      } else if (branch == 1) {
        value_loss(step);
        if (!backprop) value_head.step(rate_factor.data());
      } else if (!fixed_features && !backprop) {
        learn_hidden(inputs);
      }
    });
    if (backprop) backpropagate(inputs);
    if (report != nullptr) learner.diagnose(inputs, *report);
  }

  // The mini-batch's features, and what their loss needs of its inputs alone.
  void evaluate_hidden(const HiddenLearner::Inputs& inputs) {
    hidden.set_input(minibatch.inputs());
    backend.parallel(2, [&](std::int64_t branch) {
      if (branch == 0) {
        hidden.forward(inputs.rows, minibatch.inputs());
      } else if (!learner.guided()) {
        learner.prepare_target(inputs);
      }
    });
  }

  void step_policy() {
    heads.policy_gradient(minibatch.rows());
    policy_head.step({}, rate_factor.data());
  }

  // From the heads' deltas, and one step of all layers that learn by it.
  void backpropagate(const HiddenLearner::Inputs& inputs) {
    backend.parallel(2, [&](std::int64_t branch) {
      if (branch == 0) {
        heads.policy_gradient(minibatch.rows());
      } else {
        learn_hidden(inputs);
      }
    });
    backend.parallel(2, [&](std::int64_t branch) {
      if (branch == 0) {
        policy_head.step(learner.shared_slices(), rate_factor.data());
      } else {
        value_head.step(rate_factor.data());
      }
    });
  }

  void policy_loss(std::int64_t step) {
    policy_head.ppo_loss(heads, {.rows = minibatch.rows(),
                                 .old_outputs = minibatch.old_outputs(),
                                 .actions = minibatch.actions(),
                                 .advantages = minibatch.advantages(),
                                 .statistics = statistics.data() + step});
  }

  void value_loss(std::int64_t step) {
    value_head.loss(heads, {.rows = minibatch.rows(),
                            .returns = minibatch.returns(),
                            .old_values = minibatch.old_values(),
                            .clip = ppo.value_clip,
                            .loss = value_losses.data() + step});
  }

  void learn_hidden(const HiddenLearner::Inputs& inputs) {
    learner.compute_gradients(inputs, &heads);
    learner.step(rate_factor.data());
  }

  // local_update: its number within this update.
  HiddenLearner::Inputs local_inputs(const Rows& rows, const float* values,
                                     std::int64_t local_update, bool diagnostics) {
    return {.rows = rows,
            .values = values,
            .iteration = draws.data() + local_update,
            .diagnostics = diagnostics};
  }

  // The share of an epoch's rows that are in one of its mini-batches.
  double share_of(std::int64_t minibatch_index) const {
    return static_cast<double>(first_row(minibatch_index + 1) - first_row(minibatch_index)) /
           static_cast<double>(buffer.size());
  }

  double epoch_kl(std::int64_t epoch) const {
    const std::vector<PpoLossStatistics> all = statistics.read();
    double mean = 0.0;
    for (std::int64_t m = 0; m < minibatches(); ++m) {
      mean += share_of(m) * all[static_cast<std::size_t>(epoch * minibatches() + m)].kl;
    }
    return mean;
  }

  void summarize(std::int64_t epochs, const UpdateOptions& options, UpdateReport& report) {
    const std::vector<PpoLossStatistics> all = statistics.read();
    const std::vector<double> values = value_losses.read();
    PpoReport ppo_report{.epochs = epochs};
    double value_loss = 0.0;
    for (std::int64_t step = 0; step < epochs * minibatches(); ++step) {
      const auto s = static_cast<std::size_t>(step);
      const double share = share_of(step % minibatches()) / static_cast<double>(epochs);
      report.policy_loss += share * all[s].surrogate;
      value_loss += share * values[s];
      ppo_report.kl += share * all[s].kl;
      ppo_report.entropy += share * all[s].entropy;
      ppo_report.clip_fraction += share * all[s].clip_fraction;
    }
    report.value_loss = value_loss;
    report.ppo = ppo_report;
    check_loss_finite(report.policy_loss, "policy");
    check_loss_finite(value_loss, "value");
    learner.check_finite(options.diagnostics);
    check_parameters_finite(network);
  }

  Backend& backend;
  Network& network;
  ActionSpace action;
  Config config;
  PpoConfig ppo;
  bool fixed_features;
  RolloutBuffer buffer;
  Minibatch minibatch;
  HiddenActivations hidden;  // of the mini-batch, unless the features are fixed
  HeadActivations heads;     // of the mini-batch
  PolicyHead policy_head;
  ValueHead value_head;
  HiddenLearner learner;  // of the buffer where the features are fixed, else of the mini-batch
  std::int64_t updates = 0;
  std::vector<std::int64_t> host_order;
  DeviceArray<std::int64_t> order;            // (rows)
  DeviceArray<std::int64_t> counts;           // (mini-batches), their rows
  DeviceArray<std::int64_t> draws;            // (local updates), numbers that name landmark draws
  DeviceArray<double> rate_factor;            // (1)
  DeviceArray<PpoLossStatistics> statistics;  // (epochs, mini-batches)
  DeviceArray<double> value_losses;           // (epochs, mini-batches)
  std::unique_ptr<Recording> recording;       // of the ops of an epoch
};

Ppo::Ppo(Backend& backend, Network& network, const ActionSpace& action, const Config& config)
    : impl_(std::make_unique<Impl>(backend, network, action, config)) {}
Ppo::~Ppo() = default;

UpdateReport Ppo::update(const HorizonRollout& rollout, const UpdateOptions& options) {
  return impl_->update(rollout, options);
}

std::int64_t Ppo::iteration() const { return impl_->updates; }
void Ppo::set_iteration(std::int64_t iteration) { impl_->updates = iteration; }

}  // namespace lpdm
