// The local loss on landmark pairs while landmarks are few: linear in N, and cheap enough that a
// whole update costs less than backpropagation's.
//
// Layers go together through sweeps over the batch, cut into tasks by size alone: the landmarks are
// packed; the distances of all rows to them, and their maximum; the errors and their sums, which
// replace the distances by the gradient's coefficients; the gradient of the rows, written as delta
// at once, with each chunk's part of the landmarks' gradient beside it; and the sum of those parts.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "cpu/context.h"
#include "cpu/landmark_layer.h"
#include "cpu/landmark_set.h"
#include "cpu/landmark_target.h"
#include "lpdm/ops.h"

namespace lpdm::cpu {

class LandmarkPass {
 public:
  explicit LandmarkPass(Context& context);

  // Whether a target is this pass's business: landmarks, and few of them.
  static bool takes(const PairwiseTarget& target);

  // Layers go together as long as they have no more outputs than this (2 MB), which the caches of
  // two cores hold; beyond that one is to find in a cache what its last sweep has left there.
  static constexpr std::int64_t kMostOutputs = std::int64_t{1} << 19;

  void target_statistics(const TargetStatistics& op);
  // T is that of the network input for every layer.
  void run(const LocalLoss& op);

 private:
  using Layers = std::vector<LandmarkLayer*>;

  void prepare(const PairwiseTarget& target);
  Layers take_up(const LocalLoss& op, std::int64_t first);
  void run(const Layers& layers);
  void write_gradients(const Layers& layers);
  template <class Run>
  void sweep(const Layers& layers, std::int64_t count, const Run& run);

  Context& context_;
  LandmarkSet set_;
  LandmarkTarget target_;
  const TargetScales* scales_ = nullptr;  // made from target_ by target_statistics
  std::vector<std::unique_ptr<LandmarkLayer>> layers_;
};

}  // namespace lpdm::cpu
