// A VectorEnv driven by actions that were drawn beforehand, so that stepping alone is timed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lpdm/random.h"
#include "lpdm/vector_env.h"

namespace lpdm {

// Uniform actions for `envs` environments; the table repeats after `period` steps.
class ActionTable {
 public:
  ActionTable(const ActionSpace& space, std::int64_t envs);

  std::int64_t period() const { return period_; }
  // (envs, width) at one step.
  std::span<const float> at(std::int64_t step) const;
  // (width), of one environment.
  std::span<const float> at(std::int64_t step, std::int64_t env) const;

 private:
  std::int64_t row_;    // floats per step
  std::int64_t width_;  // floats per action
  std::int64_t period_;
  std::vector<float> values_;  // (period, envs, width)
};

// The stream of the reset before episode `episode` of environment `env`.
RandomStream rollout_reset(std::int64_t env, std::int64_t episode);

class RandomRollout {
 public:
  RandomRollout(const std::string& id, std::int64_t envs, int threads);

  // Starts all over: episode 0 of every environment.
  void restart();
  // Steps all environments once.
  void step();

  VectorEnv& environments() { return environments_; }
  const ActionTable& actions() const { return actions_; }
  std::int64_t steps() const { return steps_; }
  // (envs, observation_size), after the latest step.
  std::span<const float> observations() const { return slot(steps_); }

 private:
  std::span<const float> slot(std::int64_t step) const;
  std::span<float> slot(std::int64_t step);

  ThreadPool pool_;
  VectorEnv environments_;
  ActionTable actions_;
  VectorEnv::NextEpisode next_episode_;
  std::vector<std::int64_t> rows_;
  std::vector<std::int64_t> episodes_;  // per environment
  std::vector<float> observations_;     // (period, envs, observation_size), as a batch would be
  std::int64_t steps_ = 0;
};

// Throws Error unless a rollout on `threads` threads equals the same environments stepped one by
// one without a VectorEnv. Returns a checksum of what was compared.
std::string verify_random_rollout(const std::string& id, std::int64_t envs, int threads);

}  // namespace lpdm
