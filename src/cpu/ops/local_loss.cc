#include "cpu/ops/local_loss.h"

#include "cpu/landmarks/early_landmarks.h"
#include "cpu/ops/target_statistics.h"
#include "cpu/pairs/early_distances.h"

namespace lpdm::cpu {

LocalLossPass::LocalLossPass(Context& context)
    : context_(context),
      target_(context),
      worker_tiles_(context),
      landmarks_(context),
      low_rank_(context) {}

void LocalLossPass::target_statistics(const TargetStatistics& op) {
  landmarks_.forget_target();
  if (op.follower != nullptr && op.follower->finish(op)) return;
  if (LowRankPass::takes(op.target)) {
    low_rank_.target_statistics(op);
  } else if (LandmarkPass::takes(op.target)) {
    landmarks_.target_statistics(op);
  } else {
    cpu::target_statistics(context_, target_.input(), op);
  }
}

std::unique_ptr<RowFollower> LocalLossPass::make_row_follower(const DrawLandmarks* draw) {
  if (draw != nullptr) return std::make_unique<EarlyLandmarks>(context_, *draw);
  return std::make_unique<EarlyDistances>(context_, target_, worker_tiles_);
}

void LocalLossPass::run(const LocalLoss& op) {
  if (op.follower != nullptr && op.follower->finish(op)) return;
  if (LowRankPass::takes(op.target)) {
    low_rank_.run(op);
    return;
  }
  if (op.target_rule == TargetRule::kInput && LandmarkPass::takes(op.target)) {
    landmarks_.run(op);
    return;
  }
  const PairLayout layout(op.target);
  if (StoredPass::takes(op, layout)) {
    streamed_.reset();
    if (!stored_) stored_.emplace(context_, target_, worker_tiles_);
    stored_->run(op, layout);
  } else {
    stored_.reset();
    if (!streamed_) streamed_.emplace(context_, target_, worker_tiles_);
    streamed_->run(op, layout);
  }
}

}  // namespace lpdm::cpu
