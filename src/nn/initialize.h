// Initial parameters of one dense layer.
#pragma once

#include "lpdm/network.h"

namespace lpdm {

// gain: of orthogonal weights. The draw belongs to (seed, layer).
LayerValues initial_values(Initialization method, std::int64_t in, std::int64_t out, double gain,
                           std::uint64_t seed, std::int64_t layer);

}  // namespace lpdm
