// The local loss with distances made of cosine series, in float64 and as plainly as the formula:
// what lowrank:R minimises.
#pragma once

#include <cstdint>

#include "reference/local_loss.h"

namespace lpdm::reference {

// max − min of each column of rows (n, dim).
Values column_ranges(const Values& rows, std::int64_t n, std::int64_t dim);

// The loss of inputs.y with series of `terms` terms and periods that go with output_ranges (out).
double low_rank_loss(const LocalLossInputs& inputs, std::int64_t terms,
                     const Values& output_ranges);

}  // namespace lpdm::reference
