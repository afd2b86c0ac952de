// The rows that one update learns from: whole episodes, one after another, on the host.
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

  std::int64_t rows() const { return static_cast<std::int64_t>(rewards.size()); }
};

}  // namespace lpdm
