#include "io/config_special_kinds.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

#include "core/nearest_name.h"
#include "lpdm/environment.h"
#include "lpdm/error.h"

namespace lpdm {
namespace {

constexpr std::string_view kAllPairs = "all";
constexpr std::string_view kLandmarks = "landmarks:";
constexpr std::string_view kLowRank = "lowrank:";
constexpr std::array<std::pair<std::string_view, SparsePairs>, 3> kSparsePairs{
    {{"closest", SparsePairs::kClosest},
     {"furthest", SparsePairs::kFurthest},
     {"closest_furthest", SparsePairs::kClosestFurthest}}};
constexpr std::string_view kScaled = "scaled:";
constexpr std::int64_t kMaxLandmarks = 1'000'000'000;
constexpr std::int64_t kMaxTerms = 64;

// The number after `prefix`, if `value` is a string of just that.
std::optional<double> number_after(std::string_view prefix, const Json& value) {
  if (!value.is_string()) return std::nullopt;
  const std::string& text = value.get_ref<const std::string&>();
  if (!text.starts_with(prefix)) return std::nullopt;
  double number = 0.0;
  const char* end = text.data() + text.size();
  const auto [parsed, error] = std::from_chars(text.data() + prefix.size(), end, number);
  if (error != std::errc() || parsed != end) return std::nullopt;
  return number;
}

double read_option_number(const std::string& key, const Json& value) {
  if (value.is_boolean()) return value.get<bool>() ? 1.0 : 0.0;
  if (value.is_number()) return value.get<double>();
  refuse(key, value, "boolean or number");
}

double read_bound(const std::string& key, const Json& value) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (value.is_number()) return value.get<double>();
  if (value == "inf") return kInfinity;
  if (value == "-inf") return -kInfinity;
  refuse(key, value, "number, \"inf\" or \"-inf\"");
}

Json write_option_number(double value) {
  if (std::isinf(value)) return value > 0.0 ? "inf" : "-inf";
  return value;
}

std::vector<double> read_option(const std::string& key, const Json& value, std::size_t size) {
  if (size == 1) return {read_option_number(key, value)};
  const std::string expected =
      size == 2 ? "[low, high] with low <= high" : fmt::format("list of {} numbers", size);
  if (!value.is_array() || value.size() != size) refuse(key, value, expected);
  std::vector<double> numbers;
  for (const Json& element : value) {
    numbers.push_back(read_bound(fmt::format("{}[{}]", key, numbers.size()), element));
  }
  if (size == 2 && numbers[0] > numbers[1]) refuse(key, value, expected);
  return numbers;
}

std::string absolute_path(const std::string& path) {
  return std::filesystem::absolute(path).lexically_normal().string();
}

std::string mjcf_id(const std::string& definition) {
  return fmt::format("{}:{}", kMjcf, absolute_path(definition));
}

std::string read_definition(const Given& given) {
  const std::string& id = given.so_far.env.id;
  if (given.value == "") return id;
  if (!given.value.is_string()) refuse(given.key, given.value, "string: path of a JSON file");
  if (!id.starts_with(kMjcf)) {
    refuse(given.key, given.value, fmt::format("\"\" unless env.id is {}", kMjcf));
  }
  return mjcf_id(given.value.get<std::string>());
}

EnvironmentOptions read_options(const Given& given) {
  const std::string& id = given.so_far.env.id;
  if (!given.value.is_object()) refuse(given.key, given.value, "object: {\"name\": value, ...}");
  const EnvironmentOptions defaults = default_options(id);
  std::vector<std::string> names;
  for (const auto& [name, value] : defaults) names.push_back(name);

  EnvironmentOptions options;
  for (const auto& [name, value] : given.value.items()) {
    const auto found = defaults.find(name);
    if (found == defaults.end()) {
      const std::string nearest = nearest_name(name, names);
      throw UsageError(fmt::format(
          "unknown key \"{}.{}\": {} has no such option{}", given.key, name, id,
          nearest.empty() ? "" : fmt::format(", did you mean \"{}.{}\"?", given.key, nearest)));
    }
    std::vector<double> numbers = read_option(given.key + "." + name, value, found->second.size());
    if (numbers != found->second) options[name] = std::move(numbers);
  }
  return options;
}

Json write_options(const EnvironmentOptions& options, const Config& config) {
  EnvironmentOptions all = options;
  all.merge(default_options(config.env.id));
  Json object = Json::object();
  for (const auto& [name, numbers] : all) {
    if (numbers.size() == 1) {
      object[name] = write_option_number(numbers[0]);
    } else {
      object[name] = Json::array();
      for (const double number : numbers) object[name].push_back(write_option_number(number));
    }
  }
  return object;
}

std::string pair_words() {
  std::string words = fmt::format("{} | {}M | {}R", kAllPairs, kLandmarks, kLowRank);
  for (const auto& [name, sparse] : kSparsePairs) words += fmt::format(" | {}", name);
  return words;
}

// The whole number from 1 to `most` after `prefix`, if `value` begins with it.
std::optional<std::int64_t> count_after(std::string_view prefix, std::int64_t most,
                                        const Given& given, const std::string& expected) {
  const auto count = number_after(prefix, given.value);
  if (!count) return std::nullopt;
  if (!(*count >= 1.0)) refuse(given.key, given.value, expected, fmt::format("{}1", prefix));
  if (*count > static_cast<double>(most) || *count != std::trunc(*count)) {
    refuse(given.key, given.value, expected);
  }
  return static_cast<std::int64_t>(*count);
}

void check_low_rank(const Given& given) {
  if (given.so_far.hidden.loss.metric != Metric::kL1) {
    refuse(given.key, given.value, "anything but lowrank:R, unless hidden.metric is l1");
  }
  if (given.so_far.network.activation != Activation::kTanh) {
    refuse(given.key, given.value, "anything but lowrank:R, unless network.activation is tanh");
  }
}

PairSelection read_pairs(const Given& given) {
  if (given.value == kAllPairs) return {};
  std::vector<std::string> words = {std::string(kAllPairs), "landmarks:64", "lowrank:8"};
  for (const auto& [name, sparse] : kSparsePairs) {
    if (given.value == name) return {.landmarks = 0, .sparse = sparse};
    words.emplace_back(name);
  }
  const std::string expected =
      fmt::format("string: {}, M 1 to {}, R 1 to {}", pair_words(), kMaxLandmarks, kMaxTerms);
  if (const auto landmarks = count_after(kLandmarks, kMaxLandmarks, given, expected)) {
    return {.landmarks = *landmarks};
  }
  if (const auto terms = count_after(kLowRank, kMaxTerms, given, expected)) {
    check_low_rank(given);
    return {.low_rank = *terms};
  }
  if (!given.value.is_string()) refuse(given.key, given.value, expected);
  refuse(given.key, given.value, expected, nearest_name(given.value.get<std::string>(), words));
}

Json write_pairs(const PairSelection& pairs, const Config&) {
  for (const auto& [name, sparse] : kSparsePairs) {
    if (pairs.sparse == sparse) return name;
  }
  if (pairs.landmarks > 0) return fmt::format("{}{}", kLandmarks, pairs.landmarks);
  if (pairs.low_rank > 0) return fmt::format("{}{}", kLowRank, pairs.low_rank);
  return kAllPairs;
}

LayerRates read_rates(const Given& given, double high, const std::string& expected) {
  if (const auto scaled = number_after(kScaled, given.value)) {
    if (!(*scaled >= 0.0 && *scaled <= high)) refuse(given.key, given.value, expected);
    return {{*scaled}, true};
  }
  if (!given.value.is_array()) {
    return {{read_number(given.key, given.value, 0.0, high, expected)}, false};
  }
  const std::size_t layers = given.so_far.network.hidden.size();
  if (given.value.size() != layers) {
    refuse(given.key, given.value,
           fmt::format("one rate for each of the {} layers of network.hidden", layers));
  }
  LayerRates rates{{}, false};
  for (const Json& element : given.value) {
    rates.values.push_back(read_number(fmt::format("{}[{}]", given.key, rates.values.size()),
                                       element, 0.0, high, fmt::format("number: 0 to {}", high)));
  }
  return rates;
}

Json write_rates(const LayerRates& rates, const Config&) {
  if (rates.scaled) return fmt::format("{}{}", kScaled, rates.values.at(0));
  return rates.values.size() == 1 ? Json(rates.values[0]) : Json(rates.values);
}

}  // namespace

Kind<std::string> environment_id() {
  std::vector<std::string> ids = environment_ids();
  ids.emplace_back(kMjcf);
  Kind<std::string> kind = word(ids);
  kind.read = [read = kind.read](const Given& given) {
    const std::string id = given.value.is_string() ? given.value.get<std::string>() : "";
    const std::string definition = mjcf_definition(id);
    return definition.empty() ? read(given) : mjcf_id(definition);
  };
  kind.write = [](const std::string& id, const Config&) {
    return Json(mjcf_definition(id).empty() ? id : std::string(kMjcf));
  };
  return kind;
}

Kind<std::string> environment_definition() {
  return {"string", "path, from the working folder", read_definition,
          [](const std::string& id, const Config&) { return Json(mjcf_definition(id)); }};
}

Kind<EnvironmentOptions> environment_options() {
  return {"object", "arguments of env.id, see lpdm envs", read_options, write_options};
}

Kind<std::string> run_folder_path() {
  return {"string", "path of a run folder, from the working folder; \"\": none",
          [](const Given& given) -> std::string {
            if (given.value == "") return "";
            if (!given.value.is_string()) refuse(given.key, given.value, "string: path of a run");
            return absolute_path(given.value.get<std::string>());
          },
          [](const std::string& path, const Config&) { return Json(path); }};
}

Kind<PairSelection> pair_selection() { return {"string", pair_words(), read_pairs, write_pairs}; }

Kind<std::optional<double>> number_or(const std::string& none, double low, double high) {
  const Json absent = none.empty() ? Json(nullptr) : Json(none);
  const std::string type = none.empty() ? "number or null" : "number or string";
  const std::string allowed = fmt::format("{} to {}, or {}", low, high, absent.dump());
  return {type, allowed,
          [=](const Given& given) -> std::optional<double> {
            if (given.value == absent) return std::nullopt;
            const std::string expected = fmt::format("{}: {}", type, allowed);
            return read_number(given.key, given.value, low, high, expected);
          },
          [absent](const std::optional<double>& value, const Config&) {
            return value ? Json(*value) : absent;
          }};
}

Kind<TargetRule> target_rule() {
  Kind<TargetRule> kind = choice<TargetRule>(
      {{"input", TargetRule::kInput}, {"error_propagation", TargetRule::kErrorPropagation}});
  kind.read = [read = kind.read](const Given& given) {
    const TargetRule rule = read(given);
    if (rule != TargetRule::kInput && given.so_far.hidden.loss.pairs.low_rank > 0) {
      refuse(given.key, given.value, "input, as hidden.pairs is lowrank:R");
    }
    return rule;
  };
  return kind;
}

Kind<LossBlock> loss_block() {
  Kind<LossBlock> kind =
      choice<LossBlock>({{"batch", LossBlock::kBatch}, {"episode", LossBlock::kEpisode}});
  kind.read = [read = kind.read](const Given& given) {
    const LossBlock block = read(given);
    if (block == LossBlock::kEpisode && given.so_far.hidden.loss.pairs != PairSelection{}) {
      refuse(given.key, given.value, "batch, unless hidden.pairs is all");
    }
    if (block == LossBlock::kEpisode && given.so_far.algorithm.name == AlgorithmName::kPpo) {
      refuse(given.key, given.value, "batch, as ppo does not learn from whole episodes");
    }
    return block;
  };
  return kind;
}

Kind<LayerRates> layer_rates(double high) {
  const std::string type = "number, list or string";
  const std::string allowed = fmt::format("x | [x, ...] per layer | scaled:x, x 0 to {}", high);
  return {type, allowed,
          [=](const Given& given) { return read_rates(given, high, type + ": " + allowed); },
          write_rates};
}

}  // namespace lpdm
