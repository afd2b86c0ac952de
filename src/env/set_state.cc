#include "env/set_state.h"

#include <fmt/format.h>

#include <cmath>

#include "lpdm/error.h"

namespace lpdm {

const std::vector<double>& state_part(const std::string& id, const EnvironmentState& state,
                                      const std::string& name, std::size_t size) {
  const auto found = state.find(name);
  if (found == state.end()) {
    throw UsageError(fmt::format("the state of {} lacks {}, {} numbers", id, name, size));
  }
  const std::vector<double>& part = found->second;
  if (part.size() != size) {
    throw UsageError(fmt::format("{} in the state of {} must have {} numbers, not {}", name, id,
                                 size, part.size()));
  }
  for (std::size_t i = 0; i < size; ++i) {
    if (!std::isfinite(part[i])) {
      throw UsageError(
          fmt::format("{}[{}] in the state of {} must be finite, not {}", name, i, id, part[i]));
    }
  }
  return part;
}

}  // namespace lpdm
