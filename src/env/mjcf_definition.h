// Reading the definition file of a custom environment (docs/custom-environments.md).
#pragma once

#include <string>

#include "env/mjcf_plan.h"

namespace lpdm {

// `id` is what the environment is called. Throws UsageError naming the file, the key and the
// nearest valid choice for whatever does not fit, and for a model that is missing or does not
// parse.
MjcfPlan read_mjcf_definition(const std::string& path, const std::string& id);

}  // namespace lpdm
