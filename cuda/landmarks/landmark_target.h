// The target T of few landmarks: the maxima that normalise it, and its matrix of pairs.
#pragma once

#include "common/context.h"
#include "landmarks/landmark_pairs.h"
#include "landmarks/row_quads.h"
#include "pairs/largest_entry.h"

namespace lpdm::cuda {

// Σ T and Σ T² over ordered entries.
struct TargetSums {
  double target = 0.0;
  double squared = 0.0;

  __device__ TargetSums operator+(const TargetSums& other) const {
    return {target + other.target, squared + other.squared};
  }
};

struct LandmarkTarget {
  const float* entries = nullptr;  // (M, stride), 0 in rows from N on
  const TargetSums* sums = nullptr;
};

// All scales of T.
void find_landmark_scales(Context& context, const LandmarkPairs& pairs,
                          const PairwiseTarget& options, const RowQuads& input,
                          TargetScales* scales);

// Forms T, once for all layers.
LandmarkTarget form_landmark_target(Context& context, const LandmarkPairs& pairs, Metric metric,
                                    const RowQuads& input, const TargetScales* scales);

}  // namespace lpdm::cuda
