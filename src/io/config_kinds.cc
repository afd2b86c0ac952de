#include "io/config_kinds.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <cstddef>
#include <limits>
#include <optional>

#include "core/nearest_name.h"
#include "lpdm/error.h"

namespace lpdm {
namespace {

template <class T>
Json write_as_is(const T& value, const Config&) {
  return Json(value);
}

// `value` as T if it is a whole number in [low, high].
template <class T>
std::optional<T> whole_number(const Json& value, T low, T high) {
  const auto in_range = [&](auto whole) -> std::optional<T> {
    if (std::cmp_less(whole, low) || std::cmp_greater(whole, high)) return std::nullopt;
    return static_cast<T>(whole);
  };
  if (value.is_number_unsigned()) return in_range(value.get<std::uint64_t>());
  if (value.is_number_integer()) return in_range(value.get<std::int64_t>());
  if (!value.is_number_float()) return std::nullopt;
  const double number = value.get<double>();
  if (number != std::trunc(number)) return std::nullopt;
  if (number >= 0.0 && number < 0x1p64) return in_range(static_cast<std::uint64_t>(number));
  if (number < 0.0 && number >= -0x1p63) return in_range(static_cast<std::int64_t>(number));
  return std::nullopt;
}

// The whole number in [low, high] nearest to `value`, "" if that is not a number.
template <class T>
std::string nearest_whole_number(const Json& value, T low, T high) {
  if (!value.is_number()) return "";
  const double number = std::round(value.get<double>());
  if (number <= static_cast<double>(low)) return fmt::to_string(low);
  if (number >= static_cast<double>(high)) return fmt::to_string(high);
  return fmt::to_string(static_cast<T>(number));
}

template <class T>
T read_integer(const std::string& key, const Json& value, T low, T high,
               const std::string& expected) {
  if (const auto whole = whole_number(value, low, high)) return *whole;
  refuse(key, value, expected, nearest_whole_number(value, low, high));
}

template <class T>
Kind<T> integer_kind(T low, T high) {
  const std::string allowed = fmt::format("{} to {}", low, high);
  return {"integer", allowed,
          [=](const Given& given) {
            return read_integer(given.key, given.value, low, high, "integer: " + allowed);
          },
          write_as_is<T>};
}

}  // namespace

void refuse(const std::string& key, const Json& value, const std::string& expected,
            const std::string& nearest) {
  throw UsageError(fmt::format("{} is {}, expected {}{}", key, json_excerpt(value), expected,
                               nearest.empty() ? "" : "; nearest valid value: " + nearest));
}

double read_number(const std::string& key, const Json& value, double low, double high,
                   const std::string& expected) {
  if (!value.is_number()) refuse(key, value, expected);
  const double number = value.get<double>();
  if (number >= low && number <= high) return number;
  refuse(key, value, expected, std::isnan(number) ? "" : fmt::to_string(number < low ? low : high));
}

Kind<std::int64_t> integer(std::int64_t low, std::int64_t high) { return integer_kind(low, high); }

Kind<std::uint64_t> seed() {
  return integer_kind<std::uint64_t>(0, std::numeric_limits<std::uint64_t>::max());
}

Kind<double> number(double low, double high) {
  const std::string allowed = fmt::format("{} to {}", low, high);
  return {"number", allowed,
          [=](const Given& given) {
            return read_number(given.key, given.value, low, high, "number: " + allowed);
          },
          write_as_is<double>};
}

Kind<bool> boolean() {
  const std::string allowed = "true | false";
  return {"boolean", allowed,
          [allowed](const Given& given) {
            if (!given.value.is_boolean()) {
              // 0, 1, "True" and the like are meant well, yet could as well be a misplaced number.
              const std::string text = json_excerpt(given.value);
              const bool like_true = text == "1" || text == "\"True\"" || text == "\"true\"";
              const bool like_false = text == "0" || text == "\"False\"" || text == "\"false\"";
              refuse(given.key, given.value, "boolean: " + allowed,
                     like_true ? "true" : (like_false ? "false" : ""));
            }
            return given.value.get<bool>();
          },
          write_as_is<bool>};
}

Kind<std::string> word(const std::vector<std::string>& words) {
  const std::string allowed = fmt::format("{}", fmt::join(words, " | "));
  return {"string", allowed,
          [words, allowed](const Given& given) {
            const std::string expected = "string: " + allowed;
            if (!given.value.is_string()) refuse(given.key, given.value, expected);
            const std::string name = given.value.get<std::string>();
            if (std::ranges::find(words, name) != words.end()) return name;
            refuse(given.key, given.value, expected, nearest_name(name, words));
          },
          write_as_is<std::string>};
}

Kind<std::vector<std::int64_t>> integers(std::size_t min_size, std::size_t max_size,
                                         std::int64_t low, std::int64_t high) {
  const std::string allowed =
      fmt::format("{} to {} integers, each {} to {}", min_size, max_size, low, high);
  return {"list", allowed,
          [=](const Given& given) {
            const std::string expected = "list: " + allowed;
            if (!given.value.is_array() || given.value.size() < min_size ||
                given.value.size() > max_size) {
              refuse(given.key, given.value, expected);
            }
            std::vector<std::int64_t> numbers;
            for (const Json& element : given.value) {
              const std::string key = fmt::format("{}[{}]", given.key, numbers.size());
              numbers.push_back(read_integer(key, element, low, high,
                                             fmt::format("integer: {} to {}", low, high)));
            }
            return numbers;
          },
          write_as_is<std::vector<std::int64_t>>};
}

}  // namespace lpdm
