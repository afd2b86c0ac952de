// Target statistics: the maxima that normalise T (TargetStatistics).
#pragma once

#include "common/context.h"
#include "lpdm/ops.h"

namespace lpdm::cuda {

void target_statistics(Context& context, const TargetStatistics& op);

}  // namespace lpdm::cuda
