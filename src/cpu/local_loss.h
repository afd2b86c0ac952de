// The local loss of all hidden layers and its gradient, in O(N·D) memory and a fixed budget.
//
// The gradient is linear in E = s_T·T − (s_Y/m)·D_Y once m = max D_Y is known. Distances that fit
// the budget of DistanceStore are formed beforehand, and m with them. Beyond it a few
// furthest-point sweeps find m, nearly always on the states of a policy, more often than not on
// random rows, whose distances are all alike; nothing of size N×N is kept. Then each tile of pairs
// is visited once: T, D_Y, E, its sums and both blocks' gradients, T being shared by all layers. If
// a tile shows a larger distance, or more pairs share the maximum than are worth listing, that
// layer's pass is repeated with what is then known; the result is exact either way. Sparse pairs
// weigh the pairs of a tile; with error propagation each layer's T is made from the one before, so
// all layers repeat if one has to.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "cpu/context.h"
#include "cpu/error_propagation.h"
#include "cpu/input_target.h"
#include "cpu/landmark_pass.h"
#include "cpu/layer_pass.h"
#include "cpu/lowrank_pass.h"
#include "cpu/pair_blocks.h"
#include "cpu/pair_mask.h"
#include "cpu/pair_schedule.h"
#include "cpu/pair_tile.h"
#include "lpdm/ops.h"

namespace lpdm::cpu {

class LocalLossPass {
 public:
  explicit LocalLossPass(Context& context);

  // *op.scales must hold the result of target_statistics for the same target.
  void run(const LocalLoss& op);

  void target_statistics(const TargetStatistics& op);

 private:
  void prepare(const LocalLoss& op);
  bool propagates_errors() const { return op_->target_rule == TargetRule::kErrorPropagation; }
  void pass(const std::vector<LayerPass*>& layers);
  void run_task(const std::vector<LayerPass*>& layers, const PairTask& task, std::int64_t number,
                int worker);
  void start_tile(std::int64_t strip, std::int64_t block, PairTile& tile) const;

  Context& context_;
  const LocalLoss* op_ = nullptr;
  std::optional<PairLayout> layout_;
  std::optional<PairSchedule> schedule_;
  InputTarget input_;
  PairMask mask_;
  std::vector<std::unique_ptr<LayerPass>> layers_;
  WorkerTiles worker_tiles_;
  ErrorPropagation propagation_;
  LandmarkPass landmarks_;  // does the whole op where it can
  LowRankPass low_rank_;    // does the whole op where it is asked for
};

}  // namespace lpdm::cpu
