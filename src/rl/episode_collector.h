// Plays whole episodes with the current policy.
//
// Which episodes belong to a batch is fixed before they start, by a running number: taking
// whichever end first would favour short ones. Episode k of a call is played in environment k mod
// env.count, and all its random draws belong to its number alone, so neither the number of
// environments nor of threads nor halves change what a policy collects.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "lpdm/config.h"
#include "lpdm/random.h"
#include "lpdm/vector_env.h"
#include "rl/normalizer.h"
#include "rl/rollout_policy.h"
#include "rl/rollout_rows.h"

namespace lpdm {

struct Episode {
  std::vector<float> observations;       // (length, observation_size), what the policy saw
  std::vector<float> actions;            // (length, action width)
  std::vector<float> rewards;            // (length), normalised if the config says so
  std::vector<float> final_observation;  // (observation_size), after the end, as the policy sees it
  double return_sum = 0.0;               // undiscounted, in float64, before normalisation
  double discounted = 0.0;               // return so far, for the normaliser
  bool terminated = false;
  bool truncated = false;
  bool diverged = false;    // then truncated too
  SequenceMoments moments;  // what it adds to the normaliser

  std::int64_t length() const { return static_cast<std::int64_t>(rewards.size()); }
};

// How the actions are chosen and which streams are drawn from.
struct PlayMode {
  StreamPurpose reset = StreamPurpose::kEnvironmentReset;
  StreamPurpose action = StreamPurpose::kAction;
  bool deterministic = false;
  // Where every row goes too as the policy evaluates it, in the order of the episodes; null:
  // nowhere. Only where RolloutPolicy::fills_rows and there is one environment.
  RolloutRows* rows = nullptr;
};

class EpisodeCollector {
 public:
  // Borrows all but the config. in_halves: see half_steps.h; the policy must then work beside the
  // pool.
  EpisodeCollector(VectorEnv& environments, RolloutPolicy& policy, const Normalizer& normalizer,
                   const Config& config, bool in_halves);

  // Plays episodes number first, first + 1, …; valid until the next call.
  std::span<const Episode> play(std::int64_t first, std::int64_t count, const PlayMode& mode);

  // The parts of play, called by run_half_steps.
  bool running(int half) const { return !halves_[static_cast<std::size_t>(half)].playing.empty(); }
  void choose(int half);
  void begin(int half);
  void end() { environments_.end_step(); }
  void record(int half);

 private:
  struct Half {
    std::vector<std::int64_t> playing;  // environments with a running episode, ascending
    std::vector<float> input;           // (playing, observation_size)
    std::vector<float> output;          // (playing, head)
  };

  Episode& episode_in(std::int64_t environment);
  RandomStream reset_stream(std::int64_t episode) const;
  void record_end(std::int64_t environment, bool another_follows);
  void clear(Episode& episode) const;
  void choose_action(std::int64_t environment, std::span<const float> observation,
                     std::span<const float> output);

  VectorEnv& environments_;
  RolloutPolicy& policy_;
  const Normalizer& normalizer_;
  std::uint64_t seed_;
  bool in_halves_;
  PlayMode mode_;
  std::int64_t first_ = 0;
  std::int64_t count_ = 0;
  VectorEnv::NextEpisode next_episode_;
  std::vector<Episode> episodes_;
  std::vector<std::int64_t> episode_of_;  // per environment: place of its episode in the call
  std::array<Half, 2> halves_;
};

}  // namespace lpdm
