// The maxima that normalise a target, over all kept pairs.
#pragma once

#include "common/context.h"
#include "pairs/pair_domain.h"
#include "pairs/target_tile.cuh"
#include "pairs/tile_walk.cuh"

namespace lpdm::cuda {

// What becomes of a maximum.
enum class LargestUse {
  kUnguided,     // target_scale, with input_scale 1
  kInputScale,   // input_scale, of a guided target
  kTargetScale,  // target_scale
  kErrorScale,   // an ErrorLink's
};

struct LargestResult {
  LargestUse use = LargestUse::kUnguided;
  TargetScales* scales = nullptr;
  float* error_scale = nullptr;
  const ErrorWeights* weights = nullptr;  // of the layer that makes the error
};

// Finds the largest entry of the target at `step` of its making.
void find_largest(Context& context, const TileGrid& grid, const PairDomain& domain,
                  const TargetView& target, Metric metric, TargetStep step,
                  const LargestResult& result);

// Those that change nothing.
void set_unit_scales(Context& context, TargetScales* scales);

// All scales of T: of the network's input, or of a layer under error propagation.
void find_scales(Context& context, const TileGrid& grid, const PairDomain& domain,
                 const TargetView& target, const PairwiseTarget& options, TargetScales* scales);

}  // namespace lpdm::cuda
