// The target T of few landmarks: distances of the inputs, formed once for all layers, and the
// maxima that normalise them.
#pragma once

#include "common/context.h"
#include "landmarks/landmark_pairs.h"
#include "lpdm/ops.h"

namespace lpdm::cuda {

struct LandmarkTarget {
  const float* inputs = nullptr;  // (M, stride) their distances
  const TargetScales* scales = nullptr;
};

// Forms the distances and finds all scales. The distances are kept as long as the inputs are.
void form_landmark_target(Context& context, const LandmarkPairs& pairs,
                          const PairwiseTarget& options, TargetScales* scales);

// What has been formed of these inputs. Throws Error if nothing has, or for pairs of another size.
LandmarkTarget formed_landmark_target(Context& context, const LandmarkPairs& pairs,
                                      const PairwiseTarget& options, const TargetScales* scales);

}  // namespace lpdm::cuda
