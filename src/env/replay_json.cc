#include <fmt/format.h>

#include <cstddef>
#include <iterator>
#include <span>
#include <string>

#include "env/replay.h"
#include "io/json_text.h"

namespace lpdm {

namespace {

// A JSON number that reads back as the same double, and as a floating-point one.
void append_number(std::string& out, double value) {
  const std::size_t start = out.size();
  fmt::format_to(std::back_inserter(out), "{:.17g}", value);
  if (out.find_first_of(".e", start) == std::string::npos) out += ".0";
}

void append_numbers(std::string& out, std::span<const double> values) {
  out += '[';
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i > 0) out += ", ";
    append_number(out, values[i]);
  }
  out += ']';
}

void append_step(std::string& out, const ReplayedStep& step) {
  out += "    [";
  append_numbers(out, step.observation);
  out += ", ";
  append_number(out, step.reward);
  out += step.terminated ? ", 1" : ", 0";
  out += step.truncated ? ", 1]" : ", 0]";
}

std::string quoted(const std::string& text) { return Json(text).dump(); }

}  // namespace

std::string replay_json(const Replay& replay) {
  std::string out =
      fmt::format("{{\"env_id\": {}, \"mujoco\": {}, \"episodes\": [", quoted(replay.env_id),
                  replay.mujoco.empty() ? "null" : quoted(replay.mujoco));
  for (const ReplayedEpisode& episode : replay.episodes) {
    out += &episode == &replay.episodes.front() ? "\n" : ",\n";
    out += fmt::format("  {{\"name\": {},\n   \"obs0\": ", quoted(episode.name));
    append_numbers(out, episode.first_observation);
    out += ",\n   \"steps\": [";
    for (const ReplayedStep& step : episode.steps) {
      out += &step == &episode.steps.front() ? "\n" : ",\n";
      append_step(out, step);
    }
    out += "]}";
  }
  out += "]}\n";
  return out;
}

}  // namespace lpdm
