#include "play_episode.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "lpdm/error.h"
#include "lpdm/random.h"

namespace lpdm {
namespace {

bool all_finite(std::span<const float> values) {
  return std::ranges::all_of(values, [](float value) { return std::isfinite(value); });
}

}  // namespace

PlaySession::PlaySession(Trainer& trainer, bool stochastic)
    : policy_(trainer),
      environment_(make_environment(trainer.config().env.id, trainer.config().env.options)),
      seed_(trainer.config().run.seed),
      limit_(trainer.config().env.max_episode_steps > 0 ? trainer.config().env.max_episode_steps
                                                        : environment_->spec().max_episode_steps),
      stochastic_(stochastic),
      observation_(static_cast<std::size_t>(environment_->spec().observation_size)),
      action_(static_cast<std::size_t>(environment_->spec().action.width())) {}

void PlaySession::choose(std::int64_t episode, std::int64_t step) {
  policy_.run(observation_);
  if (stochastic_) {
    policy_.sample(episode, step, action_);
  } else {
    policy_.most_likely(action_);
  }
  if (!all_finite(action_)) {
    throw NumericalError(fmt::format(
        "the policy's action in step {} of episode {} of {} is not finite; play another checkpoint "
        "(--best)",
        step + 1, episode + 1, environment_->spec().id));
  }
}

PlayedEpisode PlaySession::play(std::int64_t episode, std::span<PlayObserver* const> observers) {
  PlayedEpisode played{.number = episode};
  RandomStream random(seed_, {.purpose = StreamPurpose::kEvaluationReset,
                              .episode = static_cast<std::uint32_t>(episode)});
  environment_->reset(random);
  environment_->observe(observation_);
  for (PlayObserver* observer : observers) observer->on_start(episode, *environment_);
  for (bool running = true; running;) {
    choose(episode, played.steps);
    const StepResult result = environment_->step(action_);
    ++played.steps;
    environment_->observe(observation_);
    // As a VectorEnv has it: a simulation that breaks down pays nothing for its last step.
    const bool diverged =
        environment_->diverged() || !std::isfinite(result.reward) || !all_finite(observation_);
    const double reward = diverged ? 0.0 : result.reward;
    played.return_sum += reward;
    running = !diverged && !result.terminated && played.steps < limit_;
    if (!running) {
      played.end = diverged            ? EpisodeEnd::kDiverged
                   : result.terminated ? EpisodeEnd::kTerminated
                                       : EpisodeEnd::kTimeLimit;
    }
    if (diverged) break;  // there is no state to be shown
    const PlayedStep step{.number = played.steps,
                          .action = action_,
                          .reward = reward,
                          .return_sum = played.return_sum};
    for (PlayObserver* observer : observers) observer->on_step(step);
  }
  for (PlayObserver* observer : observers) observer->on_end(played);
  return played;
}

}  // namespace lpdm
