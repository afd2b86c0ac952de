// The target T of few landmarks: distances of the inputs, formed once for all layers, and the
// maxima that normalise them.
#pragma once

#include "common/context.h"
#include "landmarks/landmark_pairs.h"
#include "landmarks/row_quads.h"
#include "lpdm/ops.h"

namespace lpdm::cuda {

struct LandmarkTarget {
  const float* distances = nullptr;  // (M, stride) D of the inputs, 0 in rows from N on
  const TargetScales* scales = nullptr;
};

// Forms the distances and finds all scales. They are kept as long as `scales` is.
void form_landmark_target(Context& context, const LandmarkPairs& pairs,
                          const PairwiseTarget& options, const RowQuads& input,
                          TargetScales* scales);

// What has been formed with these scales. Throws Error if nothing has, or for pairs of another
// size.
LandmarkTarget formed_landmark_target(Context& context, const LandmarkPairs& pairs,
                                      const TargetScales* scales);

}  // namespace lpdm::cuda
