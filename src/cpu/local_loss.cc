#include "cpu/local_loss.h"

#include <algorithm>

#include "cpu/target_statistics.h"

namespace lpdm::cpu {

LocalLossPass::LocalLossPass(Context& context)
    : context_(context),
      input_(context),
      mask_(context),
      worker_tiles_(context),
      propagation_(context, worker_tiles_),
      landmarks_(context),
      low_rank_(context) {}

void LocalLossPass::target_statistics(const TargetStatistics& op) {
  if (LowRankPass::takes(op.target)) {
    low_rank_.target_statistics(op);
  } else if (LandmarkPass::takes(op.target)) {
    landmarks_.target_statistics(op);
  } else {
    cpu::target_statistics(context_, input_, op);
  }
}

void LocalLossPass::run(const LocalLoss& op) {
  if (LowRankPass::takes(op.target)) {
    low_rank_.run(op);
    return;
  }
  if (op.target_rule == TargetRule::kInput && LandmarkPass::takes(op.target)) {
    landmarks_.run(op);
    return;
  }
  prepare(op);
  std::vector<LayerPass*> pending;
  for (std::int64_t l = 0; l < op.layer_count; ++l) {
    pending.push_back(layers_[static_cast<std::size_t>(l)].get());
  }
  const std::vector<LayerPass*> all = pending;
  while (!pending.empty()) {
    pass(pending);
    std::erase_if(pending, [](LayerPass* layer) { return layer->settle(); });
    if (propagates_errors() && !pending.empty()) pending = all;
  }
  for (LayerPass* layer : all) layer->finish();
}

void LocalLossPass::prepare(const LocalLoss& op) {
  op_ = &op;
  layout_.emplace(op.target);
  schedule_.emplace(*layout_);
  input_.prepare(*layout_, op.target);
  if (layout_->sparse()) mask_.build(*layout_, input_, *op.scales);
  const bool store_distances =
      !propagates_errors() && DistanceStore::fits(*layout_, op.layer_count);
  while (static_cast<std::int64_t>(layers_.size()) < op.layer_count) {
    layers_.push_back(std::make_unique<LayerPass>(context_));
  }
  for (std::int64_t l = 0; l < op.layer_count; ++l) {
    // The width of what the layer's target is the distances of.
    const std::int64_t target_dim =
        propagates_errors() && l > 1 ? op.layers[l - 2].out : op.target.dim;
    layers_[static_cast<std::size_t>(l)]->prepare(op, op.layers[l], target_dim, *layout_,
                                                  store_distances);
  }
  if (!propagates_errors()) return;
  propagation_.prepare(op, *layout_, input_, layers_,
                       [this](std::int64_t strip, std::int64_t block, PairTile& tile) {
                         start_tile(strip, block, tile);
                       });
}

void LocalLossPass::pass(const std::vector<LayerPass*>& layers) {
  for (LayerPass* layer : layers) layer->begin_pass();
  for (std::int64_t round = 0; round < schedule_->rounds(); ++round) {
    const auto tasks = schedule_->round(round);
    for (LayerPass* layer : layers) layer->begin_round(tasks.size());
    context_.pool.parallel_for(
        static_cast<std::int64_t>(tasks.size()), [&](std::int64_t task, int worker) {
          run_task(layers, tasks[static_cast<std::size_t>(task)], task, worker);
        });
    for (LayerPass* layer : layers) layer->end_round();
  }
}

void LocalLossPass::run_task(const std::vector<LayerPass*>& layers, const PairTask& task,
                             std::int64_t number, int worker) {
  task.each_tile([&](std::int64_t strip, std::int64_t block) {
    PairTile tile = worker_tiles_.get(worker, layout_->sparse(), propagates_errors());
    start_tile(strip, block, tile);
    const TilePlace place{.strip = strip, .block = block, .task = number, .worker = worker};
    for (std::size_t l = 0; l < layers.size(); ++l) {
      layers[l]->run_tile(place, tile);
      if (propagates_errors() && l + 1 < layers.size()) {
        propagation_.advance(static_cast<std::int64_t>(l), strip, block, tile);
      }
    }
  });
}

// T of the network input between a strip's block (columns) and `block` (rows), and what the options
// want beside it.
void LocalLossPass::start_tile(std::int64_t strip, std::int64_t block, PairTile& tile) const {
  input_.distances(strip, block, tile.target);
  if (tile.input_distances != nullptr) {
    std::copy_n(tile.target, layout_->block_rows(block) * kTile, tile.input_distances);
  }
  input_.normalize(strip, block, *op_->scales, tile.target);
  if (tile.weights != nullptr) mask_.weigh(strip, block, tile.target, tile.weights);
}

}  // namespace lpdm::cpu
