#include "lpdm/trainer.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

#include "rl/algorithm.h"
#include "rl/distance_matrices.h"
#include "rl/episode_collector.h"
#include "rl/half_steps.h"
#include "rl/normalizer.h"
#include "rl/rollout_policy.h"

namespace lpdm {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

int thread_count(const Config& config) {
  return config.run.threads > 0 ? static_cast<int>(config.run.threads) : hardware_threads();
}

NetworkShape network_shape(const Config& config, const EnvironmentSpec& environment) {
  return {.input = environment.observation_size,
          .hidden = config.network.hidden,
          .output = environment.action.size,
          .activation = config.network.activation,
          .value_head = config.algorithm.has_value_head(),
          .learned_std = !environment.action.discrete && !config.policy.std};
}

std::vector<std::unique_ptr<Environment>> make_instances(const EnvironmentFactory& make_instance,
                                                         std::int64_t count) {
  std::vector<std::unique_ptr<Environment>> instances;
  for (std::int64_t e = 0; e < count; ++e) instances.push_back(make_instance());
  return instances;
}

}  // namespace

struct Trainer::Impl {
  // Environments for evaluation, with whoever plays in them.
  struct Evaluation {
    explicit Evaluation(Impl& trainer)
        : environments(make_instances(trainer.make_instance, trainer.config.env.count),
                       trainer.config.env.max_episode_steps, trainer.pool),
          collector(environments, trainer.policy, trainer.normalizer, trainer.config,
                    trainer.in_halves) {}

    VectorEnv environments;
    EpisodeCollector collector;
  };

  Impl(const Config& config_in, EnvironmentFactory make_instance_in,
       const BackendFactory& make_own_backend)
      : config(config_in),
        make_instance(std::move(make_instance_in)),
        pool(thread_count(config)),
        backend(make_own_backend(pool)),
        environments(make_instances(make_instance, config.env.count), config.env.max_episode_steps,
                     pool),
        network(*backend, network_shape(config, environments.spec())),
        in_halves(steps_in_halves(config.rollout.halves, environments, pool.size())),
        policy(*backend, network, environments.spec().action, config, environments.count(),
               in_halves),
        normalizer(config, environments.spec().observation_size),
        algorithm(make_algorithm(
            {config, *backend, environments, network, policy, normalizer, in_halves})) {
    network.initialize(config.network.init, config.run.seed);
    if (Parameters* log_std = network.log_std()) {
      log_std->set_values(
          std::vector<float>(static_cast<std::size_t>(log_std->size()),
                             static_cast<float>(std::log(config.policy.initial_std))));
    }
  }

  IterationMetrics iterate() {
    IterationMetrics metrics;
    const Clock::time_point start = Clock::now();
    policy.refresh();
    progress.env_steps += algorithm->collect(progress.iteration, metrics);
    metrics.rollout_seconds = seconds_since(start);
    const Clock::time_point update_start = Clock::now();
    UpdateReport report = algorithm->update(update_options());
    metrics.update_seconds = seconds_since(update_start);
    ++progress.iteration;
    metrics.iteration = progress.iteration;
    metrics.env_steps = progress.env_steps;
    metrics.policy_loss = report.policy_loss;
    metrics.value_loss = report.value_loss;
    metrics.ppo = report.ppo;
    metrics.layers = std::move(report.layers);
    metrics.sample = std::move(report.sample);
    const std::int64_t every = config.run.eval_every;
    if (every > 0 && progress.iteration % every == 0) {
      metrics.evaluation = evaluate(config.run.eval_episodes, true);
    }
    return metrics;
  }

  UpdateOptions update_options() const {
    const std::int64_t every = config.run.diagnostics_every;
    return {.diagnostics = every > 0 && progress.iteration % every == 0,
            .rate_factor = config.schedule.factor(progress.iteration, config.run.iterations),
            .landmarks = std::nullopt};
  }

  std::span<const Episode> play(std::int64_t episodes, bool deterministic) {
    policy.refresh();
    if (!evaluation) evaluation = std::make_unique<Evaluation>(*this);
    return evaluation->collector.play(0, episodes,
                                      {.reset = StreamPurpose::kEvaluationReset,
                                       .action = StreamPurpose::kEvaluationAction,
                                       .deterministic = deterministic});
  }

  EvaluationReport evaluate(std::int64_t episodes, bool deterministic) {
    return summarize(play(episodes, deterministic));
  }

  static EvaluationReport summarize(std::span<const Episode> played) {
    const auto count = static_cast<double>(played.size());
    EvaluationReport report{.episodes = static_cast<std::int64_t>(played.size()),
                            .return_min = played.front().return_sum,
                            .return_max = played.front().return_sum};
    for (const Episode& episode : played) {
      report.return_mean += episode.return_sum / count;
      report.length_mean += static_cast<double>(episode.length()) / count;
      report.return_min = std::min(report.return_min, episode.return_sum);
      report.return_max = std::max(report.return_max, episode.return_sum);
    }
    double squared = 0.0;
    for (const Episode& episode : played) {
      const double deviation = episode.return_sum - report.return_mean;
      squared += deviation * deviation;
    }
    report.return_std = std::sqrt(squared / count);
    return report;
  }

  Config config;
  EnvironmentFactory make_instance;
  ThreadPool pool;
  std::unique_ptr<Backend> backend;
  VectorEnv environments;
  Network network;
  bool in_halves;
  RolloutPolicy policy;
  Normalizer normalizer;
  std::unique_ptr<Algorithm> algorithm;
  std::unique_ptr<Evaluation> evaluation;  // null until the first
  Progress progress;
};

namespace {

EnvironmentFactory config_environments(const Config& config) {
  return [env = config.env] { return make_environment(env.id, env.options); };
}

BackendFactory config_backend(const Config& config) {
  return [device = config.run.device, options = backend_options(config)](ThreadPool& pool) {
    return make_backend(device, pool, options);
  };
}

}  // namespace

Trainer::Trainer(const Config& config)
    : impl_(std::make_unique<Impl>(config, config_environments(config), config_backend(config))) {}
Trainer::Trainer(const Config& config, EnvironmentFactory make_instance)
    : impl_(std::make_unique<Impl>(config, std::move(make_instance), config_backend(config))) {}
Trainer::Trainer(const Config& config, const BackendFactory& make_own_backend)
    : impl_(std::make_unique<Impl>(config, config_environments(config), make_own_backend)) {}
Trainer::~Trainer() = default;

IterationMetrics Trainer::iterate() { return impl_->iterate(); }
const Config& Trainer::config() const { return impl_->config; }
const EnvironmentSpec& Trainer::environment() const { return impl_->environments.spec(); }
Backend& Trainer::backend() { return *impl_->backend; }
Network& Trainer::network() { return impl_->network; }
Progress Trainer::progress() const { return impl_->progress; }

NormalizationState Trainer::normalization() const { return impl_->normalizer.state(); }

RolloutState Trainer::rollout_state() const { return impl_->algorithm->rollout_state(); }

void Trainer::restore(const Progress& progress, const NormalizationState& normalization,
                      const RolloutState& rollout) {
  impl_->normalizer.restore(normalization);
  impl_->algorithm->restore(rollout);
  impl_->algorithm->set_iteration(progress.iteration);
  impl_->progress = progress;
}

EvaluationReport Trainer::evaluate(std::int64_t episodes, bool deterministic) {
  return impl_->evaluate(episodes, deterministic);
}

EpisodeDistances Trainer::episode_distances(std::int64_t max_rows) {
  const Episode& episode = impl_->play(1, false).front();
  return distance_matrices(*impl_->backend, impl_->network, impl_->config, episode, max_rows);
}

}  // namespace lpdm
