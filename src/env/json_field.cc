#include "env/json_field.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/nearest_name.h"
#include "lpdm/error.h"

namespace lpdm {

namespace {

std::string path_of_member(const std::string& path, const std::string& key) {
  const bool is_place = path.ends_with(')') || path.ends_with(':');
  return path + (is_place ? " " : ".") + key;
}

void check_object(const JsonField& field) {
  if (!field.value.is_object()) field.refuse("an object");
}

}  // namespace

void JsonField::refuse(const std::string& expected) const {
  throw UsageError(fmt::format("{} must be {}, not {}", path, expected, json_excerpt(value)));
}

bool has(const JsonField& object, const std::string& key) { return object.value.contains(key); }

JsonField member(const JsonField& object, const std::string& key) {
  check_object(object);
  const auto found = object.value.find(key);
  if (found == object.value.end()) {
    throw UsageError(fmt::format("{} lacks the field \"{}\"", object.path, key));
  }
  return {*found, path_of_member(object.path, key)};
}

std::vector<JsonField> elements(const JsonField& array) {
  if (!array.value.is_array()) array.refuse("an array");
  std::vector<JsonField> fields;
  for (const Json& value : array.value) {
    fields.push_back({value, fmt::format("{}[{}]", array.path, fields.size())});
  }
  return fields;
}

std::string read_text(const JsonField& field) {
  if (!field.value.is_string()) field.refuse("a text");
  return field.value.get<std::string>();
}

bool read_flag(const JsonField& field) {
  if (!field.value.is_boolean()) field.refuse("true or false");
  return field.value.get<bool>();
}

double read_number(const JsonField& field) {
  if (!field.value.is_number()) field.refuse("a number");
  return field.value.get<double>();
}

std::int64_t read_count(const JsonField& field) {
  if (!field.value.is_number_integer() || field.value.get<std::int64_t>() < 1) {
    field.refuse("a whole number of at least 1");
  }
  return field.value.get<std::int64_t>();
}

std::vector<double> read_numbers(const JsonField& field) {
  if (!field.value.is_array()) field.refuse("an array");
  std::vector<double> numbers;
  for (const Json& value : field.value) {
    if (!value.is_number()) {
      JsonField{value, fmt::format("{}[{}]", field.path, numbers.size())}.refuse("a number");
    }
    numbers.push_back(value.get<double>());
  }
  return numbers;
}

std::size_t read_choice(const JsonField& field, std::span<const std::string> names) {
  const std::string given = read_text(field);
  const auto found = std::ranges::find(names, given);
  if (found == names.end()) {
    throw UsageError(fmt::format(
        "{} is \"{}\", which is no known {}: did you mean \"{}\"?", field.path, given,
        field.path.substr(field.path.find_last_of(". ") + 1), nearest_name(given, names)));
  }
  return static_cast<std::size_t>(found - names.begin());
}

Range read_range(const JsonField& field) {
  const std::vector<double> bounds = read_numbers(field);
  if (bounds.size() != 2 || !(bounds[0] <= bounds[1])) {
    field.refuse("[low, high] with low <= high");
  }
  return {bounds[0], bounds[1]};
}

std::optional<Range> read_clip(const JsonField& object) {
  if (!has(object, "clip")) return std::nullopt;
  return read_range(member(object, "clip"));
}

void check_keys(const JsonField& object, std::span<const std::string> known) {
  check_object(object);
  for (const auto& [key, value] : object.value.items()) {
    if (std::ranges::find(known, key) != known.end()) continue;
    throw UsageError(fmt::format("{} is no known key: did you mean \"{}\"?",
                                 path_of_member(object.path, key), nearest_name(key, known)));
  }
}

}  // namespace lpdm
