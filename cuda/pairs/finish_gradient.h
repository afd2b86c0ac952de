// The last step of a layer's local loss: from the parts of the gradient to delta.
#pragma once

#include "pairs/pair_gradient.h"

namespace lpdm::cuda {

// parts: of all rows of the batch. landmark_parts: of the landmarks as rows, which replace those of
// the same rows; their sums are null where there are none. Rows from N on are written as zero.
void finish_gradient(Context& context, const PairDomain& domain, const LocalLossLayer& layer,
                     Metric metric, std::int64_t width, const LayerState* state,
                     const GradientParts& parts, const GradientParts& landmark_parts);

}  // namespace lpdm::cuda
