// Environment steps per second: a VectorEnv with random actions, or whole rollouts with a policy.
#pragma once

#include <cstdint>
#include <string>

#include "io/json_text.h"
#include "lpdm/config.h"

namespace lpdm {

struct RolloutBench {
  std::string env = "CartPole-v1";
  std::int64_t envs = 64;
  std::int64_t threads = 1;
  std::string policy = "random";  // random | network
  std::string halves = "auto";    // rollout.halves, for policy network
  std::int64_t steps = 0;  // environment steps per repeat; 0: as many as make a good measurement
  std::int64_t repeats = 7;
};

// With random actions every repeat steps the environments from the same start; a bare loop of
// mj_step on one thread does the same steps of MuJoCo environments in alternating repeats. Throws
// Error if the results depend on the threads or are not those of the environments stepped one by
// one.
Json run_rollout_bench(const RolloutBench& bench);

}  // namespace lpdm
