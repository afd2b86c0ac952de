// An environment of the user's own: a MuJoCo model and a definition file, nothing compiled.
#pragma once

#include <memory>
#include <string>

#include "lpdm/environment.h"

namespace lpdm {

// Throws UsageError, see read_mjcf_definition.
std::unique_ptr<Environment> make_mjcf_environment(const std::string& definition,
                                                   const std::string& id);

}  // namespace lpdm
