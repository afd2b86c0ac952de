// An environment for tests whose simulation breaks down when its action says so.
#pragma once

#include <cmath>
#include <limits>
#include <memory>
#include <vector>

#include "lpdm/environment.h"

namespace lpdm {

// The action's index is what goes wrong in the step.
enum class Breakdown { kNone, kObservation, kReward, kSimulation, kFalls };
inline constexpr int kBreakdowns = 5;

// Observation: steps since the reset, and a number drawn by the reset. The reward of a step is its
// number.
class FragileEnvironment final : public Environment {
 public:
  FragileEnvironment() {
    spec_.id = "Fragile-v0";
    spec_.observation_size = 2;
    spec_.action.size = kBreakdowns;
    spec_.max_episode_steps = 10;
    spec_.step_cost = 1e-3;  // a task per environment
  }

  const EnvironmentSpec& spec() const override { return spec_; }
  void reset(RandomStream& random) override {
    breakdown_ = Breakdown::kNone;
    steps_ = 0.0;
    drawn_ = random.uniform();
  }
  void set_state(const EnvironmentState&) override { steps_ = 0.0; }
  EnvironmentState state() const override { return {{"state", {steps_}}}; }
  bool diverged() const override { return breakdown_ == Breakdown::kSimulation; }

  StepResult step(std::span<const float> action) override {
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    breakdown_ = static_cast<Breakdown>(static_cast<int>(action[0]));
    steps_ += 1.0;
    return {breakdown_ == Breakdown::kReward ? -kInfinity : steps_,
            breakdown_ == Breakdown::kSimulation || breakdown_ == Breakdown::kFalls};
  }

  void observe(std::span<double> observation) const override { write(observation); }
  void observe(std::span<float> observation) const override { write(observation); }

 private:
  template <class T>
  void write(std::span<T> observation) const {
    const bool broken = breakdown_ == Breakdown::kObservation;
    observation[0] = static_cast<T>(broken ? std::nan("") : steps_);
    observation[1] = static_cast<T>(drawn_);
  }

  EnvironmentSpec spec_;
  Breakdown breakdown_ = Breakdown::kNone;
  double steps_ = 0.0;
  double drawn_ = 0.0;
};

inline std::vector<std::unique_ptr<Environment>> fragile_environments(int count) {
  std::vector<std::unique_ptr<Environment>> instances;
  for (int e = 0; e < count; ++e) instances.push_back(std::make_unique<FragileEnvironment>());
  return instances;
}

}  // namespace lpdm
