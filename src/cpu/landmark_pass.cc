#include "cpu/landmark_pass.h"

#include <algorithm>

namespace lpdm::cpu {

LandmarkPass::LandmarkPass(Context& context) : context_(context), target_(context, set_) {}

bool LandmarkPass::takes(const PairwiseTarget& target) {
  if (target.landmarks == nullptr || target.episode_ends != nullptr) return false;
  // With half of the rows or more, to use that D is symmetric pays.
  return *target.landmark_count <= std::min(kMostLandmarks, *target.rows.count / 2);
}

void LandmarkPass::prepare(const PairwiseTarget& target) {
  scales_ = nullptr;
  set_.prepare(target);
  target_.prepare(target);
}

void LandmarkPass::target_statistics(const TargetStatistics& op) {
  prepare(op.target);
  *op.scales = target_.find_scales();
  scales_ = op.scales;
}

void LandmarkPass::run(const LocalLoss& op) {
  // *op.scales is the result of target_statistics for this target: where that was the last op here,
  // the input's distances are still at hand.
  if (op.scales != scales_) prepare(op.target);
  scales_ = nullptr;
  for (std::int64_t first = 0; first < op.layer_count;) {
    const Layers layers = take_up(op, first);
    run(layers);
    first += static_cast<std::int64_t>(layers.size());
  }
}

// The layers that go together from `first` on.
LandmarkPass::Layers LandmarkPass::take_up(const LocalLoss& op, std::int64_t first) {
  Layers layers;
  std::int64_t outputs = 0;
  for (std::int64_t l = first; l < op.layer_count; ++l) {
    outputs += set_.rows() * op.layers[l].out;
    if (l > first && outputs > kMostOutputs) break;
    if (layers.size() == layers_.size()) {
      layers_.push_back(std::make_unique<LandmarkLayer>(context_, set_, target_));
    }
    LandmarkLayer* layer = layers_[layers.size()].get();
    layer->prepare(op, op.layers[l]);
    layers.push_back(layer);
  }
  return layers;
}

// run(layer, number) for all layers and numbers below `count`, which are the tasks.
template <class Run>
void LandmarkPass::sweep(const Layers& layers, std::int64_t count, const Run& run) {
  context_.pool.parallel_for(count, [&](std::int64_t number, int) {
    for (LandmarkLayer* layer : layers) run(*layer, number);
  });
}

void LandmarkPass::run(const Layers& layers) {
  sweep(layers, set_.parts(), [](LandmarkLayer& layer, std::int64_t part) { layer.pack(part); });
  Layers pending = layers;
  while (!pending.empty()) {
    sweep(pending, set_.blocks(),
          [](LandmarkLayer& layer, std::int64_t block) { layer.form_distances(block); });
    for (LandmarkLayer* layer : pending) layer->find_maximum();
    sweep(pending, set_.blocks(),
          [](LandmarkLayer& layer, std::int64_t block) { layer.form_errors(block); });
    std::erase_if(pending, [](LandmarkLayer* layer) { return layer->settle(); });
  }
  write_gradients(layers);
  for (const LandmarkLayer* layer : layers) layer->finish();
}

void LandmarkPass::write_gradients(const Layers& layers) {
  struct Panel {
    LandmarkLayer* layer;
    std::int64_t number;
  };
  std::vector<Panel> panels;
  for (LandmarkLayer* layer : layers) {
    for (std::int64_t panel = 0; panel < layer->panels(); ++panel) {
      panels.push_back({layer, panel});
    }
  }
  const auto count = static_cast<std::int64_t>(panels.size());
  // By chunks, of which a thread gets the rows that it has worked on before.
  context_.pool.parallel_for(set_.chunks() * count, [&](std::int64_t task, int) {
    const Panel& panel = panels[static_cast<std::size_t>(task % count)];
    panel.layer->write_gradient(task / count, panel.number);
  });
  context_.pool.parallel_for(count, [&](std::int64_t task, int) {
    const Panel& panel = panels[static_cast<std::size_t>(task)];
    panel.layer->add_landmark_end(panel.number);
  });
}

}  // namespace lpdm::cpu
