// The one table of everything a config can say.
//
// To add a setting: a member in include/lpdm/config.h, whose initialiser is the default, and one
// line in the function of its section in config_schema.cc. Reading, writing, validation, error
// messages and `lpdm config` follow from that line.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "io/json_text.h"
#include "lpdm/config.h"

namespace lpdm {

// One row. Plain values; safe to use from any thread.
struct Setting {
  std::string key;  // "env.id"
  std::string type;
  std::string allowed;
  std::string meaning;
  // Checks and stores a value. Settings above it in the table must have been stored before.
  // Throws UsageError naming the key.
  std::function<void(const Json&, Config&)> read;
  std::function<Json(const Config&)> write;
};

// All settings in the order in which they are documented, written and read.
const std::vector<Setting>& settings();

}  // namespace lpdm
