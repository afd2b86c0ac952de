#include "lpdm/trainer.h"

#include <algorithm>
#include <chrono>
#include <cmath>

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
          .activation = config.network.activation};
}

void append(Batch& batch, const Episode& episode) {
  const auto add = [](std::vector<float>& to, const std::vector<float>& from) {
    to.insert(to.end(), from.begin(), from.end());
  };
  add(batch.observations, episode.observations);
  add(batch.actions, episode.actions);
  add(batch.rewards, episode.rewards);
  batch.episode_ends.push_back(batch.rows());
}

}  // namespace

struct Trainer::Impl {
  explicit Impl(const Config& config_in)
      : config(config_in),
        pool(thread_count(config)),
        backend(make_backend(config.run.device, pool)),
        environments(config.env.id, config.env.options, config.env.count,
                     config.env.max_episode_steps, pool),
        network(*backend, network_shape(config, environments.spec())),
        in_halves(steps_in_halves(config.rollout.halves, environments, pool.size())),
        policy(*backend, network, environments.spec().action, config, environments.count(),
               in_halves),
        normalizer(config, environments.spec().observation_size),
        collector(environments, policy, normalizer, config, in_halves),
        reinforce(*backend, network, environments.spec().action, config) {
    network.initialize(config.network.init, config.run.seed);
    batch.observation_size = environments.spec().observation_size;
    batch.action_width = environments.spec().action.width();
  }

  void collect(IterationMetrics& metrics) {
    const std::int64_t count = config.algorithm.episodes_per_update;
    policy.refresh();
    const auto episodes = collector.play(progress.iteration * count, count, {});
    batch.observations.clear();
    batch.actions.clear();
    batch.rewards.clear();
    batch.episode_ends.clear();
    double return_sum = 0.0;
    for (const Episode& episode : episodes) {
      append(batch, episode);
      return_sum += episode.return_sum;
      metrics.diverged += episode.diverged ? 1 : 0;
      normalizer.merge(episode.moments);
    }
    normalizer.refresh();
    metrics.episodes = count;
    metrics.return_mean = return_sum / static_cast<double>(count);
    metrics.length_mean = static_cast<double>(batch.rows()) / static_cast<double>(count);
  }

  IterationMetrics iterate() {
    IterationMetrics metrics;
    const Clock::time_point start = Clock::now();
    collect(metrics);
    metrics.rollout_seconds = seconds_since(start);
    const Clock::time_point update_start = Clock::now();
    const std::int64_t every = config.run.diagnostics_every;
    const UpdateReport report = reinforce.update(
        batch,
        {.diagnostics = every > 0 && progress.iteration % every == 0, .landmarks = std::nullopt});
    metrics.update_seconds = seconds_since(update_start);
    progress.env_steps += batch.rows();
    ++progress.iteration;
    metrics.iteration = progress.iteration;
    metrics.env_steps = progress.env_steps;
    metrics.policy_loss = report.policy_loss;
    metrics.layers = report.layers;
    return metrics;
  }

  Config config;
  ThreadPool pool;
  std::unique_ptr<Backend> backend;
  VectorEnv environments;
  Network network;
  bool in_halves;
  RolloutPolicy policy;
  Normalizer normalizer;
  EpisodeCollector collector;
  Reinforce reinforce;
  Batch batch;
  Progress progress;
};

Trainer::Trainer(const Config& config) : impl_(std::make_unique<Impl>(config)) {}
Trainer::~Trainer() = default;

IterationMetrics Trainer::iterate() { return impl_->iterate(); }
const Config& Trainer::config() const { return impl_->config; }
const EnvironmentSpec& Trainer::environment() const { return impl_->environments.spec(); }
Backend& Trainer::backend() { return *impl_->backend; }
Network& Trainer::network() { return impl_->network; }
Progress Trainer::progress() const { return impl_->progress; }

NormalizationState Trainer::normalization() const { return impl_->normalizer.state(); }

void Trainer::restore(const Progress& progress, const NormalizationState& normalization) {
  impl_->normalizer.restore(normalization);
  impl_->progress = progress;
  impl_->reinforce.set_iteration(progress.iteration);
}

EvaluationReport Trainer::evaluate(std::int64_t episodes, bool deterministic) {
  impl_->policy.refresh();
  const auto played = impl_->collector.play(0, episodes,
                                            {.reset = StreamPurpose::kEvaluationReset,
                                             .action = StreamPurpose::kEvaluationAction,
                                             .deterministic = deterministic});
  const auto count = static_cast<double>(episodes);
  EvaluationReport report{.episodes = episodes,
                          .return_min = played.front().return_sum,
                          .return_max = played.front().return_sum};
  double squared = 0.0;
  for (const Episode& episode : played) {
    report.return_mean += episode.return_sum / count;
    report.length_mean += static_cast<double>(episode.length()) / count;
    report.return_min = std::min(report.return_min, episode.return_sum);
    report.return_max = std::max(report.return_max, episode.return_sum);
  }
  for (const Episode& episode : played) {
    squared +=
        (episode.return_sum - report.return_mean) * (episode.return_sum - report.return_mean);
  }
  report.return_std = std::sqrt(squared / count);
  return report;
}

}  // namespace lpdm
