// Suggests what a misspelt name probably meant.
#pragma once

#include <span>
#include <string>

namespace lpdm {

// The element of `known` with the smallest edit distance to `given`, upper and lower case alike; of
// several the first, and the empty string if there are none.
std::string nearest_name(const std::string& given, std::span<const std::string> known);

}  // namespace lpdm
