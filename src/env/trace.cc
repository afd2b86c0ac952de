#include "env/trace.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <cstddef>

#include "env/json_field.h"
#include "io/files.h"
#include "io/json_text.h"
#include "lpdm/error.h"

namespace lpdm {

namespace {

constexpr std::uint64_t kMaxTraceBytes = std::uint64_t{1} << 31;

// One action: an array of numbers, or a bare number where one is enough. `note` ends the way to it.
std::vector<float> read_action(const JsonField& field, const std::string& note = "") {
  if (!field.value.is_number() && !field.value.is_array()) {
    JsonField{field.value, field.path + note}.refuse("an array of numbers");
  }
  const std::vector<JsonField> numbers =
      field.value.is_number() ? std::vector<JsonField>{field} : elements(field);
  std::vector<float> action;
  for (const JsonField& number : numbers) {
    const JsonField noted{number.value, number.path + note};
    action.push_back(static_cast<float>(read_number(noted)));
    if (!std::isfinite(action.back())) noted.refuse("within the range of float32");
  }
  return action;
}

ExplicitActions read_explicit(const JsonField& actions) {
  const JsonField data = member(actions, "data");
  ExplicitActions result;
  for (const JsonField& action : elements(data)) {
    const std::size_t step = result.steps.size() + 1;
    result.steps.push_back(read_action(action, fmt::format(" (step {})", step)));
  }
  if (result.steps.empty()) data.refuse("an array with at least one action");
  return result;
}

LinearFeedbackActions read_linear_feedback(const JsonField& actions) {
  LinearFeedbackActions result{.gains = read_numbers(member(actions, "K")),
                               .low = read_number(member(actions, "lo")),
                               .high = read_number(member(actions, "hi"))};
  if (result.low > result.high) member(actions, "lo").refuse("at most \"hi\"");
  return result;
}

TraceActions read_actions(const JsonField& actions) {
  const std::array<std::string, 4> kinds = {"explicit", "constant", "bang_bang", "linear_feedback"};
  switch (read_choice(member(actions, "kind"), kinds)) {
    case 0:
      return read_explicit(actions);
    case 1:
      return ConstantAction{read_action(member(actions, "value"))};
    case 2:
      return BangBangActions{read_numbers(member(actions, "K"))};
    default:
      return read_linear_feedback(actions);
  }
}

EnvironmentState read_state(const JsonField& init) {
  if (!init.value.is_object()) init.refuse("an object");
  EnvironmentState state;
  for (const auto& [name, values] : init.value.items()) {
    state[name] = read_numbers(member(init, name));
  }
  return state;
}

EnvironmentOptions read_options(const JsonField& options) {
  if (!options.value.is_object()) options.refuse("an object");
  EnvironmentOptions result;
  for (const auto& [name, value] : options.value.items()) {
    const JsonField option = member(options, name);
    if (value.is_boolean()) {
      result[name] = {value.get<bool>() ? 1.0 : 0.0};
    } else if (value.is_array()) {
      result[name] = read_numbers(option);
    } else {
      result[name] = {read_number(option)};
    }
  }
  return result;
}

TraceEpisode read_episode(const Json& value, const std::string& source, std::size_t number) {
  const std::string place = fmt::format("{}: episode {}", source, number);
  const std::string name = read_text(member({value, place}, "name"));
  const JsonField episode{value, fmt::format("{} (\"{}\")", place, name)};
  TraceEpisode result{.name = name,
                      .init = read_state(member(episode, "init")),
                      .actions = read_actions(member(episode, "actions"))};
  if (has(episode, "max_episode_steps")) {
    result.max_episode_steps = read_count(member(episode, "max_episode_steps"));
  }
  if (has(episode, "num_steps")) result.num_steps = read_count(member(episode, "num_steps"));
  return result;
}

// The number of observations of a Gymnasium space.
std::int64_t read_size(const JsonField& space) {
  const JsonField shape = member(space, "shape");
  const std::vector<JsonField> sizes = elements(shape);
  if (sizes.size() != 1) shape.refuse("an array of one size");
  return read_count(sizes.front());
}

}  // namespace

Trace read_trace(const std::filesystem::path& path) {
  return parse_trace(read_file(path, "trace", kMaxTraceBytes), path.string());
}

Trace parse_trace(std::string_view text, const std::string& source) {
  const Json json = parse_json(text, source);
  const JsonField root{json, source + ":"};
  Trace trace;
  trace.env_id = read_text(member(root, "env_id"));
  trace.source = fmt::format("{} ({})", source, trace.env_id);
  if (has(root, "options")) trace.options = read_options(member(root, "options"));
  if (has(root, "xml") && !root.value["xml"].is_null())
    trace.model = read_text(member(root, "xml"));
  if (has(root, "observation_space")) {
    trace.observation_size = read_size(member(root, "observation_space"));
  }
  for (const JsonField& episode : elements(member(root, "episodes"))) {
    trace.episodes.push_back(read_episode(episode.value, trace.source, trace.episodes.size() + 1));
  }
  return trace;
}

}  // namespace lpdm
