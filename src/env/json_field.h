// A value in a JSON file with the way to it, so that whatever does not fit is located in the file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "env/options.h"
#include "io/json_text.h"

namespace lpdm {

// The way reads "trace.json: episode 2 ("fall"): actions.data". `value` must outlive the field.
struct JsonField {
  const Json& value;
  std::string path;

  // Throws UsageError "<path> must be <expected>, not <value>".
  [[noreturn]] void refuse(const std::string& expected) const;
};

// Whether an object has the key; false for whatever is no object.
bool has(const JsonField& object, const std::string& key);

// The following throw UsageError if the value is missing or of another kind.
JsonField member(const JsonField& object, const std::string& key);
std::vector<JsonField> elements(const JsonField& array);
std::string read_text(const JsonField& field);
bool read_flag(const JsonField& field);
double read_number(const JsonField& field);
std::int64_t read_count(const JsonField& field);  // at least 1
std::vector<double> read_numbers(const JsonField& field);
// The index within `names` of a text; suggests the nearest name.
std::size_t read_choice(const JsonField& field, std::span<const std::string> names);

// "[low, high]", the lower one first.
Range read_range(const JsonField& field);
// The range under the key "clip", if the object has one.
std::optional<Range> read_clip(const JsonField& object);

// Throws UsageError for a key that is not one of `known`, suggesting the nearest.
void check_keys(const JsonField& object, std::span<const std::string> known);

}  // namespace lpdm
