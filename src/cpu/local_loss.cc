#include "cpu/local_loss.h"

#include "cpu/pairwise_error.h"
#include "cpu/target_statistics.h"

namespace lpdm::cpu {

LocalLossPass::LocalLossPass(Context& context) : context_(context), input_(context) {
  for (int worker = 0; worker < context.pool.size(); ++worker) {
    worker_tiles_.emplace_back(context.memory);
  }
}

void LocalLossPass::run(const LocalLoss& op) {
  prepare(op);
  std::vector<LayerPass*> pending;
  for (std::int64_t l = 0; l < op.layer_count; ++l) {
    pending.push_back(layers_[static_cast<std::size_t>(l)].get());
  }
  const std::vector<LayerPass*> all = pending;
  while (!pending.empty()) {
    pass(pending);
    std::erase_if(pending, [](LayerPass* layer) { return layer->settle(); });
  }
  for (LayerPass* layer : all) layer->finish();
}

void LocalLossPass::prepare(const LocalLoss& op) {
  op_ = &op;
  layout_.emplace(op.target);
  schedule_.emplace(*layout_);
  input_.pack(*layout_, op.target.input, op.target.dim);
  shifts_.clear();
  if (op.target.shift != nullptr) shifts_ = shifts_by_position(*layout_, op.target.shift);
  while (static_cast<std::int64_t>(layers_.size()) < op.layer_count) {
    layers_.push_back(std::make_unique<LayerPass>(context_));
  }
  for (std::int64_t l = 0; l < op.layer_count; ++l) {
    layers_[static_cast<std::size_t>(l)]->prepare(op, op.layers[l], *layout_, *schedule_);
  }
}

void LocalLossPass::pass(const std::vector<LayerPass*>& layers) {
  constexpr std::int64_t kTilesPerWorker = 3;  // T, and two for the layers
  for (LayerPass* layer : layers) layer->begin_pass();
  for (std::int64_t strip = 0; strip < schedule_->strips(); ++strip) {
    for (LayerPass* layer : layers) layer->begin_strip(strip);
    context_.pool.parallel_for(schedule_->tasks(strip), [&](std::int64_t task, int worker) {
      Scratch<float>& tiles = worker_tiles_[static_cast<std::size_t>(worker)];
      run_task(layers, strip, task, tiles.get(kTilesPerWorker * kTile * kTile));
    });
    for (LayerPass* layer : layers) layer->end_strip(strip);
  }
}

void LocalLossPass::run_task(const std::vector<LayerPass*>& layers, std::int64_t strip,
                             std::int64_t task, float* tiles) const {
  const std::int64_t first = schedule_->first_block(strip, task);
  for (std::int64_t block = first; block < schedule_->end_block(strip, task); ++block) {
    form_target(strip, block, tiles);
    const TilePlace place{
        .strip = strip, .block = block, .task = task, .first_of_task = block == first};
    for (LayerPass* layer : layers) layer->run_tile(place, tiles, tiles + kTile * kTile);
  }
}

// T between a strip's block (columns) and `block` (rows).
void LocalLossPass::form_target(std::int64_t strip, std::int64_t block, float* tile) const {
  const std::int64_t rows = layout_->block_rows(block);
  distance_tile(op_->target.metric, input_.panel(block), rows, input_.panel(strip), input_.dim(),
                tile);
  target_tile({.rows = rows,
               .input_scale = static_cast<float>(op_->scales->input_scale),
               .target_scale = static_cast<float>(op_->scales->target_scale),
               .row_shift = shifts_.empty() ? nullptr : shifts_.data() + block * kTile,
               .column_shift = shifts_.empty() ? nullptr : shifts_.data() + strip * kTile,
               .distances = tile});
}

}  // namespace lpdm::cpu
