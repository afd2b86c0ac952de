// Mean 0 and standard deviation 1.
#pragma once

#include "common/context.h"
#include "lpdm/rows.h"

namespace lpdm::cuda {

// values ← (values − mean) / (population standard deviation + 1e-8)
void standardize(Context& context, const Rows& rows, float* values);

}  // namespace lpdm::cuda
