#include "env/options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "core/nearest_name.h"
#include "lpdm/error.h"

namespace lpdm {

namespace {

std::vector<std::string> names(std::span<const EnvironmentOption> options) {
  std::vector<std::string> result;
  for (const EnvironmentOption& option : options) result.push_back(option.name);
  return result;
}

[[noreturn]] void refuse_unknown(const std::string& id, const std::string& name,
                                 std::span<const EnvironmentOption> known) {
  if (known.empty()) throw UsageError(fmt::format("{} has no options, not even {}", id, name));
  throw UsageError(fmt::format("{} has no option {}: did you mean {}?", id, name,
                               nearest_name(name, names(known))));
}

bool fits(OptionKind kind, const std::vector<double>& value) {
  const bool scalar = value.size() == 1;
  switch (kind) {
    case OptionKind::kNumber:
      return scalar && std::isfinite(value[0]);
    case OptionKind::kCount:
      return scalar && value[0] >= 1 && value[0] <= std::numeric_limits<int>::max() &&
             value[0] == std::floor(value[0]);
    case OptionKind::kFlag:
      return scalar && (value[0] == 0 || value[0] == 1);
    case OptionKind::kRange:
      return value.size() == 2 && value[0] <= value[1];
  }
  return false;
}

const char* expectation(OptionKind kind) {
  switch (kind) {
    case OptionKind::kNumber:
      return "one finite number";
    case OptionKind::kCount:
      return "one whole number of at least 1";
    case OptionKind::kFlag:
      return "true or false (1 or 0)";
    case OptionKind::kRange:
      return "two numbers, the lower limit first";
  }
  return "";
}

}  // namespace

EnvironmentOption number_option(std::string name, double value) {
  return {std::move(name), OptionKind::kNumber, {value}};
}

EnvironmentOption count_option(std::string name, std::int64_t value) {
  return {std::move(name), OptionKind::kCount, {static_cast<double>(value)}};
}

EnvironmentOption flag_option(std::string name, bool value) {
  return {std::move(name), OptionKind::kFlag, {value ? 1.0 : 0.0}};
}

EnvironmentOption range_option(std::string name, Range value) {
  return {std::move(name), OptionKind::kRange, {value.low, value.high}};
}

OptionValues::OptionValues(const std::string& id, std::vector<EnvironmentOption> known,
                           const EnvironmentOptions& given)
    : values_(std::move(known)) {
  for (const auto& [name, value] : given) {
    const auto option = std::ranges::find(values_, name, &EnvironmentOption::name);
    if (option == values_.end()) refuse_unknown(id, name, values_);
    if (!fits(option->kind, value)) {
      throw UsageError(fmt::format("the option {} of {} must be {}, not [{}]", name, id,
                                   expectation(option->kind), fmt::join(value, ", ")));
    }
    option->value = value;
  }
}

const std::vector<double>& OptionValues::value(const std::string& name) const {
  const auto option = std::ranges::find(values_, name, &EnvironmentOption::name);
  if (option == values_.end()) throw Error("no option " + name + " in the environment's own table");
  return option->value;
}

double OptionValues::number(const std::string& name) const { return value(name)[0]; }

std::int64_t OptionValues::count(const std::string& name) const {
  return static_cast<std::int64_t>(value(name)[0]);
}

bool OptionValues::flag(const std::string& name) const { return value(name)[0] != 0; }

Range OptionValues::range(const std::string& name) const {
  return {value(name)[0], value(name)[1]};
}

}  // namespace lpdm
