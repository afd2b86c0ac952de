#include "cpu/pairs/streamed_pass.h"

namespace lpdm::cpu {

StreamedPass::StreamedPass(Context& context, PairTarget& target, WorkerTiles& worker_tiles)
    : context_(context),
      target_(target),
      worker_tiles_(worker_tiles),
      propagation_(context, worker_tiles) {}

void StreamedPass::run(const LocalLoss& op, const PairLayout& layout) {
  layout_ = &layout;
  prepare(op);
  std::vector<StreamedLayer*> pending;
  for (std::int64_t l = 0; l < op.layer_count; ++l) {
    pending.push_back(layers_[static_cast<std::size_t>(l)].get());
  }
  const std::vector<StreamedLayer*> all = pending;
  while (!pending.empty()) {
    pass(pending);
    std::erase_if(pending, [](StreamedLayer* layer) { return layer->settle(); });
    if (propagates_errors() && !pending.empty()) pending = all;
  }
  for (StreamedLayer* layer : all) layer->finish();
}

void StreamedPass::prepare(const LocalLoss& op) {
  op_ = &op;
  schedule_.emplace(*layout_);
  target_.prepare(op, *layout_);
  while (static_cast<std::int64_t>(layers_.size()) < op.layer_count) {
    layers_.push_back(std::make_unique<StreamedLayer>(context_));
  }
  for (std::int64_t l = 0; l < op.layer_count; ++l) {
    // The width of what the layer's target is the distances of.
    const std::int64_t target_dim =
        propagates_errors() && l > 1 ? op.layers[l - 2].out : op.target.dim;
    layers_[static_cast<std::size_t>(l)]->prepare(op, op.layers[l], target_dim, *layout_);
  }
  if (!propagates_errors()) return;
  propagation_.prepare(op, *layout_, target_.input(), layers_,
                       [this](std::int64_t strip, std::int64_t block, PairTile& tile) {
                         target_.form(strip, block, tile);
                       });
}

void StreamedPass::pass(const std::vector<StreamedLayer*>& layers) {
  for (StreamedLayer* layer : layers) layer->begin_pass();
  for (std::int64_t round = 0; round < schedule_->rounds(); ++round) {
    const auto tasks = schedule_->round(round);
    for (StreamedLayer* layer : layers) layer->begin_round(tasks.size());
    context_.pool.parallel_for(
        static_cast<std::int64_t>(tasks.size()), [&](std::int64_t task, int worker) {
          run_task(layers, tasks[static_cast<std::size_t>(task)], task, worker);
        });
    for (StreamedLayer* layer : layers) layer->end_round();
  }
}

void StreamedPass::run_task(const std::vector<StreamedLayer*>& layers, const PairTask& task,
                            std::int64_t number, int worker) {
  task.each_tile([&](std::int64_t strip, std::int64_t block) {
    PairTile tile = worker_tiles_.get(worker, layout_->sparse(), propagates_errors());
    target_.form(strip, block, tile);
    const TilePlace place{.strip = strip, .block = block, .task = number, .worker = worker};
    for (std::size_t l = 0; l < layers.size(); ++l) {
      layers[l]->run_tile(place, tile);
      if (propagates_errors() && l + 1 < layers.size()) {
        propagation_.advance(static_cast<std::int64_t>(l), strip, block, tile);
      }
    }
  });
}

}  // namespace lpdm::cpu
