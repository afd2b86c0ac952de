// Runs files of loss or update cases on a backend: the engine's side of `lpdm loss`, and of the
// golden tests. The formats are those of tests/data/loss.
#pragma once

#include <string>

#include "io/json_text.h"
#include "lpdm/backend.h"

namespace lpdm {

// cases: the parsed file; name: what to call it in errors. Returns {"device", "cases": [...]} in
// the order of the file. Throws UsageError for a malformed file.
Json run_loss_cases(const Json& cases, const std::string& name, Backend& backend);

}  // namespace lpdm
