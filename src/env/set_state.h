// Checked access to the parts of an EnvironmentState.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "lpdm/environment.h"

namespace lpdm {

// The part `name` of `state`. Throws UsageError naming environment `id` if it is missing, has not
// `size` numbers, or one of them is not finite.
const std::vector<double>& state_part(const std::string& id, const EnvironmentState& state,
                                      const std::string& name, std::size_t size);

}  // namespace lpdm
