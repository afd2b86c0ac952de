// Reading, overriding and writing configs, all driven by the table in config_schema.h.
#include "lpdm/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <set>
#include <utility>

#include "core/nearest_name.h"
#include "io/config_schema.h"
#include "io/files.h"
#include "io/json_text.h"
#include "lpdm/error.h"

namespace lpdm {
namespace {

constexpr std::uint64_t kMaxConfigBytes = std::uint64_t{1} << 24;

// A config's text as a tree of sections, with where each part came from.
struct Document {
  Json root;
  std::string source;                // of what is in the text
  std::set<std::string> overridden;  // keys given by --set
};

using SettingValues = std::vector<std::pair<const Setting*, const Json*>>;

// "a.b.c" -> {"a", "b", "c"}
std::vector<std::string> split_key(const std::string& key) {
  std::vector<std::string> parts(1);
  for (const char letter : key) {
    if (letter == '.') {
      parts.emplace_back();
    } else {
      parts.back() += letter;
    }
  }
  return parts;
}

bool is_section(const std::string& path) {
  return std::ranges::any_of(
      settings(), [&](const Setting& setting) { return setting.key.starts_with(path + "."); });
}

const Setting* find_setting(const std::string& key) {
  const auto found = std::ranges::find(settings(), key, &Setting::key);
  return found == settings().end() ? nullptr : &*found;
}

// What to put in front of an error about `key`.
std::string origin(const Document& document, const std::string& key) {
  const bool is_override = std::ranges::any_of(document.overridden, [&](const std::string& given) {
    return given == key || given.starts_with(key + ".") || key.starts_with(given + ".");
  });
  return is_override ? "--set" : document.source;
}

// The known key that `key` most likely means. Without a dot it may be a misspelt section ("hiden")
// or a key whose section was left out ("seed").
std::string nearest_key(const std::string& key) {
  std::vector<std::string> names;
  std::vector<std::string> meant;
  const auto add = [&](std::string name, std::string meaning) {
    names.push_back(std::move(name));
    meant.push_back(std::move(meaning));
  };
  const bool bare = key.find('.') == std::string::npos;
  for (const Setting& setting : settings()) {
    const std::string section = setting.key.substr(0, setting.key.find('.'));
    add(bare ? section : setting.key, bare ? section : setting.key);
  }
  for (const Setting& setting : settings()) {
    if (bare) add(setting.key.substr(setting.key.rfind('.') + 1), setting.key);
  }
  const auto found = std::ranges::find(names, nearest_name(key, names));
  return found == names.end() ? "" : meant[static_cast<std::size_t>(found - names.begin())];
}

[[noreturn]] void throw_unknown_key(const Document& document, const std::string& key) {
  const std::string nearest = nearest_key(key);
  throw UsageError(
      fmt::format("{}: unknown key \"{}\"{} (lpdm config lists all keys)", origin(document, key),
                  key, nearest.empty() ? "" : fmt::format(", did you mean \"{}\"?", nearest)));
}

// Collects the settings that `section`, the object at `path` ("" for the whole), gives.
void collect(const Document& document, const std::string& path, const Json& section,
             SettingValues& values) {
  if (!section.is_object()) {
    throw UsageError(fmt::format("{}: {} is {}, expected an object with its keys",
                                 origin(document, path), path.empty() ? "the whole" : path,
                                 json_excerpt(section)));
  }
  for (const auto& [name, child] : section.items()) {
    const std::string key = path.empty() ? name : path + "." + name;
    if (name.find('.') != std::string::npos) {
      throw UsageError(fmt::format("{}: the key \"{}\" has a dot in its name, nest objects instead",
                                   origin(document, key), key));
    }
    if (const Setting* setting = find_setting(key)) {
      values.emplace_back(setting, &child);
    } else if (is_section(key)) {
      collect(document, key, child, values);
    } else {
      throw_unknown_key(document, key);
    }
  }
}

bool is_utf8(const std::string& text) {
  try {
    return !Json(text).dump().empty();
  } catch (const Json::exception&) {
    return false;
  }
}

// The value of `--set key=value`: JSON if it is that, otherwise a string.
Json override_value(const std::string& text) {
  try {
    return parse_json(text, "--set");
  } catch (const UsageError&) {
    if (is_utf8(text)) return Json(text);
    throw UsageError(
        fmt::format("--set: the value {} is not text in UTF-8, give it in that encoding",
                    json_excerpt(Json(text))));
  }
}

void apply_override(const std::string& assignment, Document& document) {
  const std::size_t equals = assignment.find('=');
  if (equals == std::string::npos || equals == 0) {
    throw UsageError(fmt::format("--set \"{}\" is not of the form key=value", assignment));
  }
  const std::string key = assignment.substr(0, equals);
  Json* node = &document.root;
  for (const std::string& part : split_key(key)) {
    if (!node->is_object()) {
      throw UsageError(fmt::format("--set \"{}\" reaches into a value that is not an object: {}",
                                   assignment, json_excerpt(*node)));
    }
    node = &node->emplace(part, Json::object()).first.value();
  }
  *node = override_value(assignment.substr(equals + 1));
  document.overridden.insert(key);
}

Config read_document(const Document& document) {
  SettingValues values;
  collect(document, "", document.root, values);
  // In the table's order, which is the order in which settings depend on each other.
  std::ranges::sort(values, {}, &SettingValues::value_type::first);
  Config config;
  for (const auto& [setting, value] : values) {
    try {
      setting->read(*value, config);
    } catch (const UsageError& error) {
      throw UsageError(fmt::format("{}: {}", origin(document, setting->key), error.what()));
    }
  }
  return config;
}

Config parse(std::string_view text, const std::string& source,
             std::span<const std::string> overrides) {
  Document document{parse_json(text, source, JsonComments::kAllowed), source, {}};
  for (const std::string& assignment : overrides) apply_override(assignment, document);
  return read_document(document);
}

}  // namespace

double LayerRates::rate(std::int64_t layer, std::int64_t layers) const {
  const double base =
      values.size() == 1 ? values.front() : values.at(static_cast<std::size_t>(layer));
  return scaled ? base * static_cast<double>(layers - layer) : base;
}

double ScheduleConfig::factor(std::int64_t iteration, std::int64_t iterations) const {
  if (learning_rate == RateSchedule::kConstant) return 1.0;
  return 1.0 - static_cast<double>(iteration) / static_cast<double>(iterations);
}

Config parse_config(std::string_view text, std::span<const std::string> overrides) {
  return parse(text, "config", overrides);
}

Config load_config(const std::filesystem::path& path, std::span<const std::string> overrides) {
  return parse(read_file(path, "config", kMaxConfigBytes), path.string(), overrides);
}

std::string dump_config(const Config& config) {
  Json root = Json::object();
  for (const Setting& setting : settings()) {
    Json* node = &root;
    for (const std::string& part : split_key(setting.key)) node = &(*node)[part];
    *node = setting.write(config);
  }
  return root.dump(2) + "\n";
}

std::vector<ConfigEntry> describe_config(const Config& config) {
  const Config defaults;
  Config same_environment;  // the defaults of env.options are those of the environment in force
  same_environment.env.id = config.env.id;
  std::vector<ConfigEntry> entries;
  for (const Setting& setting : settings()) {
    const Config& reference = setting.key == "env.options" ? same_environment : defaults;
    entries.push_back({setting.key, setting.type, setting.allowed, setting.meaning,
                       setting.write(reference).dump(), setting.write(config).dump()});
  }
  return entries;
}

}  // namespace lpdm
