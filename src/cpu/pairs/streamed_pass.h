// The local loss of all hidden layers where distances are not kept: batches beyond the budget of
// DistanceStore, and error propagation.
//
// Furthest-point sweeps nearly always find the maximum of D_Y. Then each tile of pairs is visited
// once: T, D_Y, E, its sums and both blocks' gradients, T being shared by all layers. If a tile
// shows a larger distance, or more pairs share the maximum than are worth listing, that layer's
// pass is repeated with what is then known; the result is exact either way. With error propagation
// each layer's T is made from the one before, so all layers repeat if one has to.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "cpu/common/context.h"
#include "cpu/pairs/error_propagation.h"
#include "cpu/pairs/pair_blocks.h"
#include "cpu/pairs/pair_schedule.h"
#include "cpu/pairs/pair_target.h"
#include "cpu/pairs/pair_tile.h"
#include "cpu/pairs/streamed_layer.h"
#include "lpdm/ops.h"

namespace lpdm::cpu {

class StreamedPass {
 public:
  // Borrows all; target is prepared by run.
  StreamedPass(Context& context, PairTarget& target, WorkerTiles& worker_tiles);

  void run(const LocalLoss& op, const PairLayout& layout);

 private:
  void prepare(const LocalLoss& op);
  bool propagates_errors() const { return op_->target_rule == TargetRule::kErrorPropagation; }
  void pass(const std::vector<StreamedLayer*>& layers);
  void run_task(const std::vector<StreamedLayer*>& layers, const PairTask& task,
                std::int64_t number, int worker);

  Context& context_;
  PairTarget& target_;
  WorkerTiles& worker_tiles_;
  const LocalLoss* op_ = nullptr;
  const PairLayout* layout_ = nullptr;
  std::optional<PairSchedule> schedule_;
  std::vector<std::unique_ptr<StreamedLayer>> layers_;
  ErrorPropagation propagation_;
};

}  // namespace lpdm::cpu
