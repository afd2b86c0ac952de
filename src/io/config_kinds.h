// The kinds of value a setting can have: each checks one JSON value and converts it both ways.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "io/json_text.h"
#include "lpdm/config.h"

namespace lpdm {

// A value that was given for a key, with the settings read so far (those above it in the table).
struct Given {
  const std::string& key;
  const Json& value;
  const Config& so_far;
};

// How values of type T are described, read and written.
template <class T>
struct Kind {
  std::string type;                     // "integer", as JSON calls it
  std::string allowed;                  // "1 to 1000"
  std::function<T(const Given&)> read;  // throws UsageError, see refuse
  std::function<Json(const T&, const Config&)> write;
};

// Throws UsageError "<key> is <value>, expected <expected>; nearest valid value: <nearest>", the
// last part only if `nearest` is not empty.
[[noreturn]] void refuse(const std::string& key, const Json& value, const std::string& expected,
                         const std::string& nearest = "");

// An integer, also when it is written as a whole floating-point number (1e3).
Kind<std::int64_t> integer(std::int64_t low, std::int64_t high);
Kind<std::uint64_t> seed();
Kind<double> number(double low, double high);
Kind<bool> boolean();
Kind<std::string> word(const std::vector<std::string>& words);
// Between min_size and max_size integers in [low, high].
Kind<std::vector<std::int64_t>> integers(std::size_t min_size, std::size_t max_size,
                                         std::int64_t low, std::int64_t high);

// One word for each value of an enumeration.
template <class Enum>
Kind<Enum> choice(const std::vector<std::pair<std::string, Enum>>& values) {
  std::vector<std::string> words;
  for (const auto& [name, value] : values) words.push_back(name);
  const Kind<std::string> names = word(words);
  return {
      names.type, names.allowed,
      [values, names](const Given& given) {
        const std::string name = names.read(given);
        return std::ranges::find(values, name, &std::pair<std::string, Enum>::first)->second;
      },
      [values](const Enum& value, const Config&) {
        return Json(std::ranges::find(values, value, &std::pair<std::string, Enum>::second)->first);
      }};
}

// Reads one number in [low, high]; `expected` is for the message, also of a list's elements.
double read_number(const std::string& key, const Json& value, double low, double high,
                   const std::string& expected);

}  // namespace lpdm
