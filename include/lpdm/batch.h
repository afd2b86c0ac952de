// The rows that one update learns from, on the host: whole episodes one after another, or a fixed
// number of steps of several environments.
#pragma once

#include <cstdint>
#include <vector>

namespace lpdm {

struct Batch {
  std::int64_t observation_size = 0;
  std::int64_t action_width = 0;
  std::vector<float> observations;         // (N, observation_size)
  std::vector<float> actions;              // (N, action_width)
  std::vector<float> rewards;              // (N)
  std::vector<std::int64_t> episode_ends;  // (episodes), one past each episode's last row
  // For a learned baseline only:
  std::vector<float> final_observations =
      {};                                    // (episodes, observation_size), after the last action
  std::vector<std::uint8_t> truncated = {};  // (episodes), 1: cut off, though it could have gone on

  std::int64_t rows() const { return static_cast<std::int64_t>(rewards.size()); }
  // Forgets the rows and keeps their memory.
  void clear() {
    for (auto* floats : {&observations, &actions, &rewards, &final_observations}) floats->clear();
    episode_ends.clear();
    truncated.clear();
  }
};

// An episode that ended within a rollout.
struct EpisodeEnd {
  std::int64_t row = 0;     // of its last step
  std::int64_t length = 0;  // of the whole episode, earlier calls included
  double return_sum = 0.0;  // of the whole episode, undiscounted, before normalisation
};

// `horizon` steps of each of `count` environments. Row t · count + e is step t of environment e.
struct HorizonRollout {
  std::int64_t horizon = 0;
  std::int64_t count = 0;
  // (horizon + 1, count, observation_size): what the policy saw; the last block is where the next
  // call goes on, for bootstrapping episodes that have not ended.
  std::vector<float> observations;
  std::vector<float> actions;             // (horizon, count, action width)
  std::vector<float> policy_outputs;      // (horizon, count, head): logits or means
  std::vector<float> rewards;             // (horizon, count), normalised if the config says so
  std::vector<std::uint8_t> terminated;   // (horizon, count)
  std::vector<std::uint8_t> truncated;    // (horizon, count)
  std::vector<EpisodeEnd> ends;           // ascending rows
  std::vector<float> final_observations;  // (ends, observation_size), as the policy would see them
  std::int64_t diverged = 0;              // episodes that ended by a broken simulation

  std::int64_t rows() const { return horizon * count; }
};

}  // namespace lpdm
