// Brings a matrix into the form that distances are computed from.
#pragma once

#include <cstdint>

#include "common/context.h"
#include "pairs/pair_domain.h"

namespace lpdm::cuda {

// values: (batch rows, dim). Packs the rows of `side`, in that side's order, for an arithmetic of
// the given metric; l2 is always float32.
PackedRows pack_rows(Context& context, const PairSide& side, const float* values, std::int64_t dim,
                     Metric metric, Arithmetic arithmetic);

}  // namespace lpdm::cuda
