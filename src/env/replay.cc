#include "env/replay.h"

#include <fmt/format.h>
#include <mujoco/mujoco.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <iterator>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>

#include "lpdm/error.h"

namespace lpdm {

namespace {

// sum K[i] obs[i] from left to right.
double feedback(std::span<const double> gains, std::span<const double> observation) {
  double sum = 0.0;
  for (std::size_t i = 0; i < gains.size(); ++i) sum += gains[i] * observation[i];
  return sum;
}

// One episode of a trace, checked against its environment before the first step.
class EpisodePlayer {
 public:
  EpisodePlayer(Environment& environment, const TraceEpisode& episode, std::string place)
      : environment_(environment), episode_(episode), place_(std::move(place)) {
    check_actions();
  }

  ReplayedEpisode play();

 private:
  [[noreturn]] void refuse(const std::string& what) const {
    throw UsageError(fmt::format("{}: {}", place_, what));
  }

  void check_actions() const;
  void check_action(std::span<const float> action, const std::string& field) const;
  void check_gains(std::span<const double> gains) const;
  std::int64_t limit() const;
  std::int64_t last_step() const;
  std::vector<float> action(std::size_t step, std::span<const double> observation) const;
  std::vector<double> observe(std::int64_t step) const;

  Environment& environment_;
  const TraceEpisode& episode_;
  std::string place_;
};

void EpisodePlayer::check_action(std::span<const float> action, const std::string& field) const {
  const EnvironmentSpec& spec = environment_.spec();
  if (std::ssize(action) != spec.action.width()) {
    refuse(fmt::format("{} must have the {} numbers of an action of {}, not {}", field,
                       spec.action.width(), spec.id, action.size()));
  }
  if (!spec.action.discrete) return;
  const float choice = action[0];
  if (!(choice >= 0.0F && choice < static_cast<float>(spec.action.size)) ||
      choice != std::floor(choice)) {
    refuse(fmt::format("{} must be one of the actions 0 to {} of {}, not {}", field,
                       spec.action.size - 1, spec.id, choice));
  }
}

void EpisodePlayer::check_gains(std::span<const double> gains) const {
  const EnvironmentSpec& spec = environment_.spec();
  if (std::ssize(gains) != spec.observation_size) {
    refuse(fmt::format("actions.K must have the {} numbers of an observation of {}, not {}",
                       spec.observation_size, spec.id, gains.size()));
  }
  if (spec.action.width() != 1) {
    refuse(
        fmt::format("actions.kind must be explicit or constant for the {} numbers of an action "
                    "of {}",
                    spec.action.width(), spec.id));
  }
}

void EpisodePlayer::check_actions() const {
  const bool discrete = environment_.spec().action.discrete;
  if (const auto* given = std::get_if<ExplicitActions>(&episode_.actions)) {
    for (std::size_t i = 0; i < given->steps.size(); ++i) {
      check_action(given->steps[i], fmt::format("actions.data[{}] (step {})", i, i + 1));
    }
    if (episode_.num_steps > std::ssize(given->steps)) {
      refuse(
          fmt::format("actions.data must have an action for each of num_steps = {} steps, not "
                      "for {}",
                      episode_.num_steps, given->steps.size()));
    }
  } else if (const auto* constant = std::get_if<ConstantAction>(&episode_.actions)) {
    check_action(constant->value, "actions.value");
  } else if (const auto* bang_bang = std::get_if<BangBangActions>(&episode_.actions)) {
    check_gains(bang_bang->gains);
    if (!discrete) refuse("actions.kind bang_bang needs an environment with discrete actions");
  } else if (const auto* linear = std::get_if<LinearFeedbackActions>(&episode_.actions)) {
    check_gains(linear->gains);
    if (discrete) refuse("actions.kind linear_feedback needs continuous actions");
  }
}

// The step limit of this episode.
std::int64_t EpisodePlayer::limit() const {
  return episode_.max_episode_steps > 0 ? episode_.max_episode_steps
                                        : environment_.spec().max_episode_steps;
}

// The number of the last step if no flag comes before it.
std::int64_t EpisodePlayer::last_step() const {
  std::int64_t last = limit();
  if (episode_.num_steps > 0) last = std::min(last, episode_.num_steps);
  if (const auto* given = std::get_if<ExplicitActions>(&episode_.actions)) {
    last = std::min<std::int64_t>(last, std::ssize(given->steps));
  }
  return last;
}

std::vector<float> EpisodePlayer::action(std::size_t step,
                                         std::span<const double> observation) const {
  return std::visit(
      [&](const auto& source) -> std::vector<float> {
        using Source = std::decay_t<decltype(source)>;
        if constexpr (std::is_same_v<Source, ExplicitActions>) {
          return source.steps[step];
        } else if constexpr (std::is_same_v<Source, ConstantAction>) {
          return source.value;
        } else if constexpr (std::is_same_v<Source, BangBangActions>) {
          return {feedback(source.gains, observation) > 0.0 ? 1.0F : 0.0F};
        } else {
          return {static_cast<float>(
              std::clamp(feedback(source.gains, observation), source.low, source.high))};
        }
      },
      episode_.actions);
}

std::vector<double> EpisodePlayer::observe(std::int64_t step) const {
  std::vector<double> observation(static_cast<std::size_t>(environment_.spec().observation_size));
  environment_.observe(std::span<double>(observation));
  for (std::size_t i = 0; i < observation.size(); ++i) {
    if (std::isfinite(observation[i])) continue;
    throw NumericalError(
        fmt::format("{}: observation[{}] at step {} is {}, the simulation diverged", place_, i,
                    step, observation[i]));
  }
  return observation;
}

ReplayedEpisode EpisodePlayer::play() {
  try {
    environment_.set_state(episode_.init);
  } catch (const UsageError& error) {
    refuse(fmt::format("init does not fit: {}", error.what()));
  }
  ReplayedEpisode result;
  result.name = episode_.name;
  result.first_observation = observe(0);
  const std::int64_t last = last_step();
  std::vector<double> observation = result.first_observation;
  bool ended = false;
  for (std::int64_t step = 1; step <= last && !ended; ++step) {
    const StepResult outcome =
        environment_.step(action(static_cast<std::size_t>(step - 1), observation));
    if (environment_.diverged()) {
      throw NumericalError(fmt::format(
          "{}: the simulation diverged at step {}: MuJoCo found a state that is not finite or huge",
          place_, step));
    }
    observation = observe(step);
    if (!std::isfinite(outcome.reward)) {
      throw NumericalError(fmt::format("{}: the reward at step {} is {}, the simulation diverged",
                                       place_, step, outcome.reward));
    }
    const bool truncated = step >= limit();
    ended = outcome.terminated || truncated;
    result.steps.push_back({observation, outcome.reward, outcome.terminated, truncated});
  }
  result.final_state = environment_.state();
  return result;
}

// Throws UsageError if the environment is not the one that was recorded.
std::unique_ptr<Environment> make_recorded_environment(const Trace& trace) {
  std::unique_ptr<Environment> environment;
  try {
    environment = make_environment(trace.env_id, trace.options);
  } catch (const UsageError& error) {
    throw UsageError(fmt::format("{}: {}", trace.source, error.what()));
  }
  const EnvironmentSpec& spec = environment->spec();
  const auto refuse_other = [&](const std::string& recorded, const std::string& own) {
    throw UsageError(
        fmt::format("{} was recorded on another environment than its env_id says, with {} instead "
                    "of {}: correct env_id or options",
                    trace.source, recorded, own));
  };
  const std::string model = std::filesystem::path(spec.model).filename().string();
  const std::string recorded_model = std::filesystem::path(trace.model).filename().string();
  if (!trace.model.empty() && recorded_model != model) {
    refuse_other("the model " + recorded_model, model.empty() ? "none" : model);
  }
  if (trace.observation_size > 0 && trace.observation_size != spec.observation_size) {
    refuse_other(fmt::format("{} observations", trace.observation_size),
                 fmt::to_string(spec.observation_size));
  }
  return environment;
}

}  // namespace

Replay replay_trace(const Trace& trace) {
  const std::unique_ptr<Environment> environment = make_recorded_environment(trace);
  Replay replay;
  replay.env_id = trace.env_id;
  if (!environment->spec().model.empty()) replay.mujoco = mj_versionString();
  for (std::size_t i = 0; i < trace.episodes.size(); ++i) {
    const TraceEpisode& episode = trace.episodes[i];
    const std::string place =
        fmt::format("{}: episode {} (\"{}\")", trace.source, i + 1, episode.name);
    replay.episodes.push_back(EpisodePlayer(*environment, episode, place).play());
  }
  return replay;
}

}  // namespace lpdm
