// The local loss of all pairs with distances made of cosine series: sums and gradient are products
// of matrices of features, linear in N. The maxima are those of exact distances, as far as
// find_furthest_pairs meets them.
#pragma once

#include "common/context.h"
#include "lpdm/ops.h"

namespace lpdm::cuda {

// Both throw UsageError for a target that the series cannot stand for.
void low_rank_statistics(Context& context, const TargetStatistics& op);
void low_rank_loss(Context& context, const LocalLoss& op);

}  // namespace lpdm::cuda
