// A training run: collect episodes, update, measure; one iteration at a time.
//
// Owns its threads, backend, environments and network. It writes no files and prints nothing; the
// caller decides what to do with each iteration's metrics.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "lpdm/backend.h"
#include "lpdm/config.h"
#include "lpdm/episode_distances.h"
#include "lpdm/network.h"
#include "lpdm/update.h"

namespace lpdm {

// Of whole episodes with the present policy.
struct EvaluationReport {
  std::int64_t episodes = 0;
  double return_mean = 0.0;
  double return_std = 0.0;  // over the episodes (population)
  double return_min = 0.0;
  double return_max = 0.0;
  double length_mean = 0.0;
};

struct IterationMetrics {
  std::int64_t iteration = 0;  // from 1
  std::int64_t env_steps = 0;  // of the whole run so far
  std::int64_t episodes = 0;   // that ended in this iteration
  std::int64_t diverged = 0;   // of those, by a simulation that broke down
  std::optional<double> return_mean;
  std::optional<double> length_mean;
  double rollout_seconds = 0.0;
  double update_seconds = 0.0;
  double policy_loss = 0.0;
  std::optional<double> value_loss;            // with a value head
  std::optional<PpoReport> ppo;                // with PPO
  std::vector<LayerDiagnostics> layers;        // empty between diagnostics
  std::optional<RowSample> sample;             // with the diagnostics, if run.tensorboard
  std::optional<EvaluationReport> evaluation;  // at run.eval_every
};

// Running statistics of rows of numbers.
struct MomentsState {
  std::int64_t count = 0;       // rows
  std::vector<double> mean;     // (width)
  std::vector<double> squares;  // (width), sums of squared deviations from the mean
};

// What the normalisation has learnt so far; none of what is not normalised.
struct NormalizationState {
  std::optional<MomentsState> observations;  // (observation_size)
  std::optional<MomentsState> returns;       // (1), discounted
};

// An episode under way: replaying its actions from its reset leads to where it is.
struct RunningEpisode {
  std::uint32_t episode = 0;   // its number in its environment
  std::vector<float> actions;  // (steps so far, action width)
};

// The episodes that go on in the next iteration, one per environment; empty where every iteration
// starts new ones, and before the first.
using RolloutState = std::vector<RunningEpisode>;

// How far a run has come; with the network's parameters and moments, the normalisation and the
// rollout state, all that a later iteration depends on.
struct Progress {
  std::int64_t iteration = 0;
  std::int64_t env_steps = 0;
};

// Makes one more instance of an environment; all of them must be alike.
using EnvironmentFactory = std::function<std::unique_ptr<Environment>()>;
// Makes the backend of a run, whose threads outlive it.
using BackendFactory = std::function<std::unique_ptr<Backend>(ThreadPool& pool)>;

class Trainer {
 public:
  // Throws UsageError for what the config asks and this machine or build does not have.
  explicit Trainer(const Config& config);
  // Trains in environments of the caller's own, whatever config.env.id and options say.
  Trainer(const Config& config, EnvironmentFactory make_instance);
  // Computes on a backend of the caller's own, whatever config.run.device says.
  Trainer(const Config& config, const BackendFactory& make_own_backend);
  ~Trainer();

  // Collects what algorithm.name asks for (whole episodes, or a number of steps) and learns from
  // it.
  IterationMetrics iterate();

  const Config& config() const;
  const EnvironmentSpec& environment() const;
  Backend& backend();
  Network& network();

  Progress progress() const;
  NormalizationState normalization() const;
  RolloutState rollout_state() const;
  // Goes on from a checkpoint whose parameters have been put into network(). Throws Error if the
  // normalisation or the running episodes are not those of this config and environment.
  void restore(const Progress& progress, const NormalizationState& normalization,
               const RolloutState& rollout);

  // Plays `episodes` episodes (at least 1) with the current policy, in environments and from
  // streams of their own, so that training is not disturbed. deterministic: the most likely action,
  // else sampled.
  EvaluationReport evaluate(std::int64_t episodes, bool deterministic);

  // The pairwise matrices of one episode with sampled actions, played likewise, of at most
  // `max_rows` (at least 1) of its steps.
  EpisodeDistances episode_distances(std::int64_t max_rows);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace lpdm
