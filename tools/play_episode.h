// Episodes of one environment, played step by step for whoever watches.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "lpdm/environment.h"
#include "lpdm/trainer.h"
#include "rl/policy_player.h"

namespace lpdm {

struct PlayedStep {
  std::int64_t number = 0;  // from 1
  std::span<const float> action;
  double reward = 0.0;
  double return_sum = 0.0;  // of the episode so far
};

enum class EpisodeEnd { kTerminated, kTimeLimit, kDiverged };

struct PlayedEpisode {
  std::int64_t number = 0;  // from 0
  std::int64_t steps = 0;
  double return_sum = 0.0;
  EpisodeEnd end = EpisodeEnd::kTerminated;
};

class PlayObserver {
 public:
  virtual ~PlayObserver() = default;
  virtual void on_start(std::int64_t episode, const Environment& environment) = 0;
  virtual void on_step(const PlayedStep& step) = 0;
  virtual void on_end(const PlayedEpisode& episode) = 0;
};

// Plays what Trainer::evaluate plays: the same starts, actions and returns, episode by episode.
class PlaySession {
 public:
  // Uses the trainer's present policy; the trainer must outlive the session.
  PlaySession(Trainer& trainer, bool stochastic);

  const Environment& environment() const { return *environment_; }

  // Throws NumericalError if the policy's action is not finite.
  PlayedEpisode play(std::int64_t episode, std::span<PlayObserver* const> observers);

 private:
  void choose(std::int64_t episode, std::int64_t step);

  PolicyPlayer policy_;
  std::unique_ptr<Environment> environment_;
  std::uint64_t seed_;
  std::int64_t limit_;  // steps per episode
  bool stochastic_;
  std::vector<float> observation_;  // (observation_size)
  std::vector<float> action_;       // (action width)
};

}  // namespace lpdm
