// From an op's target to the domains of its pairs.
#pragma once

#include "common/context.h"
#include "pairs/pair_domain.h"

namespace lpdm::cuda {

// The pairs that count and, with landmarks, the same pairs from the landmarks' side: their rows own
// the gradient of the landmarks.
struct PairDomains {
  PairDomain all;
  PairDomain from_landmarks;
  bool landmarks = false;
  PairSide batch;
};

// Throws UsageError for episodes together with landmarks or sparse pairs. Sparse limits are not
// known yet.
PairDomains make_domains(Context& context, const PairwiseTarget& target);

}  // namespace lpdm::cuda
