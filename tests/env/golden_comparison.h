// Compares a replay with the recorded episodes: bit for bit on the MuJoCo of the recordings, and on
// another one as closely as the chaos of each episode allows.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "env/replay.h"

namespace lpdm {

// Whether the recordings were made with the MuJoCo that runs here.
bool records_this_mujoco();

// Why an environment cannot be compared with its recordings on this MuJoCo; "" if it can.
std::string incomparable(const std::string& env_id);

// `expected` is a file of tests/data/envs.
void expect_replay(const Replay& actual, const nlohmann::json& expected);

}  // namespace lpdm
