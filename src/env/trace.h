// Reading recorded episodes: where they start, which actions follow, when they stop.
//
// The file is JSON: {"env_id", "options" (optional, Gymnasium's arguments), "episodes": [{"name",
// "init", "actions", "max_episode_steps", "num_steps"}, …]}. "xml" and "observation_space.shape",
// if given, must be the environment's; whatever else it holds is ignored.
//   init               {"qpos": […], "qvel": […]} or {"state": […]}
//   actions            {"kind": "explicit", "data": […]}, one action per step
//                      {"kind": "constant", "value": …}
//                      {"kind": "bang_bang", "K": […]}: 1 if sum K[i] obs[i] > 0, else 0
//                      {"kind": "linear_feedback", "K": […], "lo", "hi"}: the sum, clipped
//   max_episode_steps  the step limit; without it the environment's own
//   num_steps          where to stop at the latest; without it at the limit or the last action
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "lpdm/environment.h"

namespace lpdm {

struct ExplicitActions {
  std::vector<std::vector<float>> steps;  // (steps, width)
};

struct ConstantAction {
  std::vector<float> value;  // (width)
};

struct BangBangActions {
  std::vector<double> gains;  // (observation size)
};

struct LinearFeedbackActions {
  std::vector<double> gains;  // (observation size)
  double low = 0.0;
  double high = 0.0;
};

using TraceActions =
    std::variant<ExplicitActions, ConstantAction, BangBangActions, LinearFeedbackActions>;

struct TraceEpisode {
  std::string name;
  EnvironmentState init;
  TraceActions actions;
  std::int64_t max_episode_steps = 0;  // 0: not given
  std::int64_t num_steps = 0;          // 0: not given
};

struct Trace {
  std::string source;  // for messages: the file and the environment
  std::string env_id;
  std::string model;                  // MuJoCo model file of the recording, empty if not given
  std::int64_t observation_size = 0;  // 0: not given
  EnvironmentOptions options;
  std::vector<TraceEpisode> episodes;
};

// Throws UsageError naming file, episode, step and field for whatever does not fit the format.
Trace read_trace(const std::filesystem::path& path);
// The same from the text of such a file, which messages call `source`.
Trace parse_trace(std::string_view text, const std::string& source);

}  // namespace lpdm
