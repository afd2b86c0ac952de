// The local loss of all hidden layers and its gradient, in O(N·D) memory and a fixed budget.
//
// The gradient is linear in E = s_T·T − (s_Y/m)·D_Y once m = max D_Y is known. Who works it out
// depends on the pairs: few landmarks, a low-rank series, all distances kept where they fit a
// budget, or formed as they are needed, so that nothing of size N×N is ever kept.
#pragma once

#include <memory>
#include <optional>

#include "cpu/common/context.h"
#include "cpu/landmarks/landmark_pass.h"
#include "cpu/lowrank/lowrank_pass.h"
#include "cpu/pairs/pair_target.h"
#include "cpu/pairs/pair_tile.h"
#include "cpu/pairs/stored_pass.h"
#include "cpu/pairs/streamed_pass.h"
#include "lpdm/backend.h"
#include "lpdm/ops.h"

namespace lpdm::cpu {

class LocalLossPass {
 public:
  explicit LocalLossPass(Context& context);

  // *op.scales must hold the result of target_statistics for the same target.
  void run(const LocalLoss& op);

  void target_statistics(const TargetStatistics& op);

  // It must not outlive this object.
  std::unique_ptr<RowFollower> make_row_follower(const DrawLandmarks* draw);

 private:
  Context& context_;
  PairTarget target_;         // shared by the passes that take tiles
  WorkerTiles worker_tiles_;  // likewise
  // Of these two only the latest that was wanted is there, with its memory.
  std::optional<StoredPass> stored_;
  std::optional<StreamedPass> streamed_;
  LandmarkPass landmarks_;
  LowRankPass low_rank_;
};

}  // namespace lpdm::cpu
