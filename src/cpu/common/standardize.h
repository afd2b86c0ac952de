// Shifts and scales values to mean 0 and standard deviation 1.
#pragma once

#include <cstdint>

namespace lpdm::cpu {

// values ← (values − mean) / (population standard deviation + 1e-8)
void standardize(float* values, std::int64_t count);

}  // namespace lpdm::cpu
