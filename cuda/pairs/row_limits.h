// Sparse pairs: which entries each row of T keeps, as two entries per row that say all of it.
#pragma once

#include "common/context.h"
#include "pairs/pair_domain.h"

namespace lpdm::cuda {

// Ranks the other entries of every row of T by (T, column). target: without links.
RowLimits find_row_limits(Context& context, const PairDomain& domain, const TargetView& target,
                          Metric metric, SparsePairs sparse);

}  // namespace lpdm::cuda
