// The local loss on landmark pairs while landmarks are few: linear in N, and cheap enough that a
// whole update costs less than backpropagation's.
//
// Layers go together through sweeps over the batch, cut into tasks by size alone: the landmarks are
// packed; the distances of all rows to them, and their maximum; the errors and their sums, which
// replace the distances by the gradient's coefficients; the gradient of the rows, written as delta
// at once, with each chunk's part of the landmarks' gradient beside it; and the sum of those parts.
//
// The first two may be made in parts, as rows become known (EarlyLandmarks).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "cpu/common/context.h"
#include "cpu/landmarks/landmark_layer.h"
#include "cpu/landmarks/landmark_set.h"
#include "cpu/landmarks/landmark_target.h"
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
  // That others have answered the latest target_statistics.
  void forget_target() { scales_ = nullptr; }
  // T is that of the network input for every layer.
  void run(const LocalLoss& op);

  // Both in parts. First what is to come, of layers that go together: rows · outputs of all at most
  // kMostOutputs. landmarks: (count), which may change until `settle`.
  void expect(const LocalLoss& op, std::int64_t rows, const std::int64_t* landmarks,
              std::int64_t count);
  // Then these; whoever calls them sees to their order. Matrices, of the input and of each layer,
  // come one after another or side by side: their landmarks that have changed, which comes before
  // the distances and never beside them, and the distances of a block to all landmarks or, where
  // those have been formed, to the changed ones.
  std::int64_t matrices() const { return static_cast<std::int64_t>(matrices_.size()); }
  void renew_landmarks(std::int64_t matrix, std::span<const std::int32_t> landmarks) {
    matrices_[static_cast<std::size_t>(matrix)]->rows().renew(landmarks);
  }
  void form_distances(std::int64_t block, bool changed_only);
  // The rows are all there and the landmarks are drawn; from then on, after a block's last
  // distances:
  void settle(const PairwiseTarget& target) { set_.prepare(target); }
  void close_distances(std::int64_t block);
  // When all blocks are closed.
  void finish(const TargetStatistics& op) { *op.scales = target_.find_scales(op.target); }
  void finish(const LocalLoss& op);

 private:
  using Layers = std::vector<LandmarkLayer*>;

  Layers take_up(const LocalLoss& op, std::int64_t first);
  void form(std::span<LandmarkMatrix* const> matrices);
  void learn(const LocalLoss& op, std::int64_t first, const Layers& layers);
  void write_gradients(const Layers& layers);

  Context& context_;
  LandmarkSet set_;
  LandmarkTarget target_;
  const TargetScales* scales_ = nullptr;  // made from target_ by target_statistics
  std::vector<std::unique_ptr<LandmarkLayer>> layers_;
  std::vector<LandmarkMatrix*> matrices_;  // that `expect` named
};

}  // namespace lpdm::cpu
