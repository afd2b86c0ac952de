#include "cpu/landmarks/landmark_pass.h"

#include <algorithm>

namespace lpdm::cpu {

LandmarkPass::LandmarkPass(Context& context) : context_(context), target_(context, set_) {}

bool LandmarkPass::takes(const PairwiseTarget& target) {
  if (target.landmarks == nullptr || target.episode_ends != nullptr) return false;
  // With half of the rows or more, to use that D is symmetric pays.
  return *target.landmark_count <= std::min(kMostLandmarks, *target.rows.count / 2);
}

void LandmarkPass::target_statistics(const TargetStatistics& op) {
  set_.prepare(op.target);
  target_.prepare(op.target);
  LandmarkMatrix* const matrix = &target_.distances();
  form({&matrix, 1});
  *op.scales = target_.find_scales(op.target);
  scales_ = op.scales;
}

void LandmarkPass::run(const LocalLoss& op) {
  // *op.scales is the result of target_statistics for this target: where that was the last op here,
  // the input's distances are still at hand.
  if (op.scales != scales_) {
    TargetScales again;
    target_statistics({.target = op.target, .scales = &again});
  }
  scales_ = nullptr;
  for (std::int64_t first = 0; first < op.layer_count;) {
    const Layers layers = take_up(op, first);
    std::vector<LandmarkMatrix*> matrices;
    for (LandmarkLayer* layer : layers) matrices.push_back(&layer->distances());
    form(matrices);
    learn(op, first, layers);
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

void LandmarkPass::form(std::span<LandmarkMatrix* const> matrices) {
  context_.pool.parallel_for(set_.parts(), [&](std::int64_t part, int) {
    for (LandmarkMatrix* matrix : matrices) matrix->rows().pack(part);
  });
  context_.pool.parallel_for(set_.blocks(), [&](std::int64_t block, int) {
    for (LandmarkMatrix* matrix : matrices) {
      matrix->form(block);
      matrix->close(block);
    }
  });
}

void LandmarkPass::expect(const LocalLoss& op, std::int64_t rows, const std::int64_t* landmarks,
                          std::int64_t count) {
  set_.expect(rows, count, landmarks);
  target_.prepare(op.target);
  matrices_ = {&target_.distances()};
  for (LandmarkLayer* layer : take_up(op, 0)) matrices_.push_back(&layer->distances());
}

void LandmarkPass::form_distances(std::int64_t block, bool changed_only) {
  for (LandmarkMatrix* matrix : matrices_) {
    if (changed_only) {
      matrix->renew(block);
    } else {
      matrix->form(block);
    }
  }
}

void LandmarkPass::close_distances(std::int64_t block) {
  for (LandmarkMatrix* matrix : matrices_) matrix->close(block);
}

void LandmarkPass::finish(const LocalLoss& op) {
  Layers layers;
  for (std::int64_t l = 0; l < op.layer_count; ++l) {
    layers.push_back(layers_[static_cast<std::size_t>(l)].get());
  }
  learn(op, 0, layers);
}

// layers: those of the op from `first` on, with their distances.
void LandmarkPass::learn(const LocalLoss& op, std::int64_t first, const Layers& layers) {
  for (std::size_t l = 0; l < layers.size(); ++l) {
    layers[l]->begin(op, op.layers[first + static_cast<std::int64_t>(l)]);
  }
  const auto sweep = [&](const Layers& pending, const auto& run) {
    context_.pool.parallel_for(set_.blocks(), [&](std::int64_t block, int) {
      for (LandmarkLayer* layer : pending) run(*layer, block);
    });
  };
  for (Layers pending = layers;;) {
    sweep(pending, [](LandmarkLayer& layer, std::int64_t block) { layer.form_errors(block); });
    std::erase_if(pending, [](LandmarkLayer* layer) { return layer->settle(); });
    if (pending.empty()) break;
    sweep(pending, [](LandmarkLayer& layer, std::int64_t block) {
      layer.distances().form(block);
      layer.distances().close(block);
    });
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
