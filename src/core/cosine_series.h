// The period of the cosine series that low-rank distances are made of, on host and device.
#pragma once

#include <cstdint>

#include "core/host_device.h"

namespace lpdm {

// Columns of smaller ranges count as constant: their series have no frequency in float32.
inline constexpr float kLeastSeriesRange = 1e-30F;

// [same unit] R terms round off both kinks of the triangle wave over about half a period / R each:
// the one at 0, which stands for |t|, and the one at half a period. The latter is kept out of the
// range, or rows at either end of it would have next to no gradient.
LPDM_HOST_DEVICE inline float half_period(float range, std::int64_t terms) {
  return range * (1.0F + 2.0F / static_cast<float>(terms + 1));
}

}  // namespace lpdm
