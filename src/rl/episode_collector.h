// Plays whole episodes with the current policy.
//
// Which episodes belong to a batch is fixed before they start, by a running number: taking
// whichever end first would favour short ones. Episode k of a call is played in environment k mod
// env.count, and all its random draws belong to its number alone, so neither the number of
// environments nor of threads changes what is collected.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "lpdm/config.h"
#include "lpdm/network.h"
#include "lpdm/random.h"
#include "lpdm/vector_env.h"

namespace lpdm {

struct Episode {
  std::vector<float> observations;  // (length, observation_size), what the policy saw
  std::vector<float> actions;       // (length, action width)
  std::vector<float> rewards;       // (length)
  double return_sum = 0.0;          // undiscounted, in float64
  bool terminated = false;
  bool truncated = false;

  std::int64_t length() const { return static_cast<std::int64_t>(rewards.size()); }
};

// How the actions are chosen and which streams are drawn from.
struct PlayMode {
  StreamPurpose reset = StreamPurpose::kEnvironmentReset;
  StreamPurpose action = StreamPurpose::kAction;
  bool deterministic = false;
};

class EpisodeCollector {
 public:
  // Borrows all but the config. `host`: a backend whose memory the policy's few rows are in.
  EpisodeCollector(Backend& host, VectorEnv& environments, InferenceNetwork& policy,
                   const Config& config);

  // Plays episodes number first, first + 1, …; valid until the next call.
  std::span<const Episode> play(std::int64_t first, std::int64_t count, const PlayMode& mode);

 private:
  void start(std::int64_t environment, std::int64_t episode);
  void choose_actions();
  void record_step();

  VectorEnv& environments_;
  InferenceNetwork& policy_;
  double std_;
  std::uint64_t seed_;
  PlayMode mode_;
  std::int64_t first_ = 0;
  std::int64_t count_ = 0;
  std::vector<Episode> episodes_;
  std::vector<std::int64_t> playing_;     // environments with a running episode, ascending
  std::vector<std::int64_t> episode_of_;  // per environment: place of its episode in the call
  std::vector<float> policy_input_;       // (playing, observation_size)
  std::vector<float> policy_output_;      // (playing, head)
  DeviceArray<float> device_input_;       // (count, observation_size)
  DeviceArray<float> device_output_;      // (count, head)
};

}  // namespace lpdm
