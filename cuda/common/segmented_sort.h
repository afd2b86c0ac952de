// Sorting many runs of keys, for which the device has CUB and the execution shim a plain sort.
#pragma once

#include <cstdint>

#include "common/context.h"

namespace lpdm::cuda {

// Sorts keys[k · stride .. k · stride + *count) ascending, for each k below `segments`, into
// `sorted`, laid out alike. begins, ends: (segments), scratch.
void sort_segments(Context& context, const std::uint32_t* keys, std::uint32_t* sorted,
                   std::int64_t segments, std::int64_t stride, const std::int64_t* begins,
                   const std::int64_t* ends);

}  // namespace lpdm::cuda
