// The order of the values within each dimension, which is all that an l1 gradient needs of them.
#pragma once

#include <cstdint>

#include "common/context.h"
#include "pairs/pair_domain.h"
#include "pairs/pair_gradient.h"

namespace lpdm::cuda {

// values: (batch rows, dim). The rows' ranks in each dimension (l1), or the values themselves (l2),
// in the order of the batch.
OrderedRows order_columns(Context& context, const PairSide& batch, const float* values,
                          std::int64_t dim, Metric metric);

// The rows of `side` of `all`, which are the batch's.
OrderedRows gather_order(Context& context, const PairSide& side, const OrderedRows& all);

}  // namespace lpdm::cuda
