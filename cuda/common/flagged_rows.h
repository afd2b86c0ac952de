// A scan of flags over all rows, for which the device has CUB and the execution shim a plain loop.
// Counts alone: in CUB's scans the order of additions varies from run to run, and with it the
// rounding of floats.
#pragma once

#include <cstdint>

#include "common/context.h"

namespace lpdm::cuda {

// before[i]: how many of flags[0 .. i) are set. Flags are 0 or 1; flags, before: (count)
void count_flagged_before(Context& context, const std::uint8_t* flags, std::int64_t count,
                          std::int64_t* before);

}  // namespace lpdm::cuda
