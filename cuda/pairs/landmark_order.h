// The order of a batch's values among those of its landmarks, which is all that an l1 gradient
// needs where every pair has a landmark: no sort of the batch.
#pragma once

#include <cstdint>

#include "common/context.h"
#include "pairs/pair_domain.h"
#include "pairs/pair_gradient.h"

namespace lpdm::cuda {

// More landmarks than this are left to order_columns.
inline constexpr std::int64_t kMostOrderedLandmarks = 256;

// values: (batch rows, dim). For each row of the batch, in each dimension, twice the number of
// landmarks whose value is smaller, and one more where one is equal: of a landmark and any row the
// greater value has the greater number, and equal values have equal ones.
OrderedRows order_among_landmarks(Context& context, const PairSide& batch,
                                  const PairSide& landmarks, const float* values, std::int64_t dim);

}  // namespace lpdm::cuda
