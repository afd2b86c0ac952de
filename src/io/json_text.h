// JSON as this project reads it: strict, and with errors a person can act on.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace lpdm {

// Objects keep the order in which their keys were written.
using Json = nlohmann::ordered_json;

enum class JsonComments { kRefused, kAllowed };

// Parses one JSON value. Throws UsageError naming `source` and the line and column for a syntax
// error, and the key for one that appears twice in an object; also for numbers beyond a double and
// for nesting so deep that printing it would exhaust the stack.
Json parse_json(std::string_view text, const std::string& source,
                JsonComments comments = JsonComments::kRefused);

// `value` on one line, shortened, for error messages. Never throws, whatever bytes it holds.
std::string json_excerpt(const Json& value);

}  // namespace lpdm
