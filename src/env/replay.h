// Steps an environment through recorded episodes: what `lpdm replay` and the golden tests run.
#pragma once

#include <string>
#include <vector>

#include "env/trace.h"
#include "lpdm/environment.h"

namespace lpdm {

struct ReplayedStep {
  std::vector<double> observation;
  double reward = 0.0;
  bool terminated = false;
  bool truncated = false;
};

struct ReplayedEpisode {
  std::string name;
  std::vector<double> first_observation;
  std::vector<ReplayedStep> steps;
  EnvironmentState final_state;
};

struct Replay {
  std::string env_id;
  std::string mujoco;  // version of the library, empty for classic control
  std::vector<ReplayedEpisode> episodes;
};

// Every episode starts from its initial state and ends at the first step that is terminated,
// truncated or the last one recorded. Throws UsageError naming the episode when its state or
// actions do not fit the environment, and NumericalError when an observation or reward is not
// finite.
Replay replay_trace(const Trace& trace);

// {"env_id", "mujoco", "episodes": [{"name", "obs0", "steps": [[obs, reward, terminated,
// truncated], …]}]}, a line per step, numbers with 17 significant digits, flags as 0 or 1.
std::string replay_json(const Replay& replay);

}  // namespace lpdm
