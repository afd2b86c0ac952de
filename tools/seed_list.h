// Lists of seeds as people write them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace lpdm {

// "0-4,7" → 0, 1, 2, 3, 4, 7. Throws UsageError, naming --seeds, for anything that is not such a
// list, that names a seed twice, or that is longer than a slip of the keyboard would make it.
std::vector<std::uint64_t> parse_seeds(const std::string& text);

}  // namespace lpdm
