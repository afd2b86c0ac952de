// From an op's target to the domains of its pairs.
#pragma once

#include "common/context.h"
#include "pairs/pair_domain.h"

namespace lpdm::cuda {

// The pairs that count. With landmarks these are the rows and the batch the columns, which fills
// tiles better than the other way; `from_batch` is the other way, for the gradient of the batch's
// rows.
struct PairDomains {
  PairDomain all;
  PairDomain from_batch;
  bool landmarks = false;
  PairSide batch;
};

// Throws UsageError for episodes together with landmarks or sparse pairs. Sparse limits are not
// known yet.
PairDomains make_domains(Context& context, const PairwiseTarget& target);

}  // namespace lpdm::cuda
