#include "env/trace.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <cstddef>
#include <utility>

#include "core/nearest_name.h"
#include "io/files.h"
#include "io/json_text.h"
#include "lpdm/error.h"

namespace lpdm {

namespace {

constexpr std::uint64_t kMaxTraceBytes = std::uint64_t{1} << 31;

// A value in the file and the way to it, "trace.json: episode 2 (\"fall\"): actions.data".
struct Field {
  const Json& value;
  std::string path;

  [[noreturn]] void refuse(const std::string& expected) const {
    throw UsageError(fmt::format("{} must be {}, not {}", path, expected, json_excerpt(value)));
  }
};

bool has(const Field& object, const std::string& key) { return object.value.contains(key); }

Field member(const Field& object, const std::string& key) {
  if (!object.value.is_object()) object.refuse("an object");
  const auto found = object.value.find(key);
  if (found == object.value.end()) {
    throw UsageError(fmt::format("{} lacks the field \"{}\"", object.path, key));
  }
  const char* separator = object.path.ends_with(')') || object.path.ends_with(':') ? " " : ".";
  return {*found, object.path + separator + key};
}

std::string read_text(const Field& field) {
  if (!field.value.is_string()) field.refuse("a text");
  return field.value.get<std::string>();
}

double read_number(const Field& field) {
  if (!field.value.is_number()) field.refuse("a number");
  return field.value.get<double>();
}

std::int64_t read_count(const Field& field) {
  if (!field.value.is_number_integer() || field.value.get<std::int64_t>() < 1) {
    field.refuse("a whole number of at least 1");
  }
  return field.value.get<std::int64_t>();
}

const Json& read_array(const Field& field) {
  if (!field.value.is_array()) field.refuse("an array");
  return field.value;
}

std::vector<double> read_numbers(const Field& field) {
  std::vector<double> numbers;
  for (const Json& value : read_array(field)) {
    if (!value.is_number()) {
      Field{value, fmt::format("{}[{}]", field.path, numbers.size())}.refuse("a number");
    }
    numbers.push_back(value.get<double>());
  }
  return numbers;
}

// One action: an array of numbers, or a bare number where one is enough.
std::vector<float> read_action(const Field& field) {
  const std::vector<double> numbers =
      field.value.is_number() ? std::vector<double>{read_number(field)} : read_numbers(field);
  std::vector<float> action;
  for (const double number : numbers) {
    action.push_back(static_cast<float>(number));
    if (!std::isfinite(action.back())) field.refuse("within the range of float32");
  }
  return action;
}

ExplicitActions read_explicit(const Field& actions) {
  const Field data = member(actions, "data");
  ExplicitActions result;
  for (const Json& action : read_array(data)) {
    const std::size_t i = result.steps.size();
    result.steps.push_back(
        read_action({action, fmt::format("{}[{}] (step {})", data.path, i, i + 1)}));
  }
  if (result.steps.empty()) data.refuse("an array with at least one action");
  return result;
}

LinearFeedbackActions read_linear_feedback(const Field& actions) {
  LinearFeedbackActions result{.gains = read_numbers(member(actions, "K")),
                               .low = read_number(member(actions, "lo")),
                               .high = read_number(member(actions, "hi"))};
  if (result.low > result.high) member(actions, "lo").refuse("at most \"hi\"");
  return result;
}

TraceActions read_actions(const Field& actions) {
  const std::array<std::string, 4> kinds = {"explicit", "constant", "bang_bang", "linear_feedback"};
  const Field kind = member(actions, "kind");
  const std::string name = read_text(kind);
  if (name == kinds[0]) return read_explicit(actions);
  if (name == kinds[1]) return ConstantAction{read_action(member(actions, "value"))};
  if (name == kinds[2]) return BangBangActions{read_numbers(member(actions, "K"))};
  if (name == kinds[3]) return read_linear_feedback(actions);
  throw UsageError(fmt::format("{} is \"{}\", which is no known kind: did you mean \"{}\"?",
                               kind.path, name, nearest_name(name, kinds)));
}

EnvironmentState read_state(const Field& init) {
  if (!init.value.is_object()) init.refuse("an object");
  EnvironmentState state;
  for (const auto& [name, values] : init.value.items()) {
    state[name] = read_numbers(member(init, name));
  }
  return state;
}

EnvironmentOptions read_options(const Field& options) {
  if (!options.value.is_object()) options.refuse("an object");
  EnvironmentOptions result;
  for (const auto& [name, value] : options.value.items()) {
    const Field option = member(options, name);
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
  const Field episode{value, fmt::format("{} (\"{}\")", place, name)};
  TraceEpisode result{.name = name,
                      .init = read_state(member(episode, "init")),
                      .actions = read_actions(member(episode, "actions"))};
  if (has(episode, "max_episode_steps")) {
    result.max_episode_steps = read_count(member(episode, "max_episode_steps"));
  }
  if (has(episode, "num_steps")) result.num_steps = read_count(member(episode, "num_steps"));
  return result;
}

}  // namespace

Trace read_trace(const std::filesystem::path& path) {
  const std::string source = path.string();
  const Json json = parse_json(read_file(path, "trace", kMaxTraceBytes), source);
  const Field root{json, source + ":"};
  Trace trace;
  trace.source = source;
  trace.env_id = read_text(member(root, "env_id"));
  if (has(root, "options")) trace.options = read_options(member(root, "options"));
  const Field episodes = member(root, "episodes");
  for (const Json& episode : read_array(episodes)) {
    trace.episodes.push_back(read_episode(episode, source, trace.episodes.size() + 1));
  }
  return trace;
}

}  // namespace lpdm
