#include "cpu/stored_pass.h"

#include <algorithm>

namespace lpdm::cpu {

namespace {

// What a share holds at most [dimensions], so that its gradients stay in a core's cache.
constexpr std::int64_t kWidestShare = 128;

}  // namespace

StoredPass::StoredPass(Context& context, PairTarget& target, WorkerTiles& worker_tiles)
    : context_(context), target_(target), worker_tiles_(worker_tiles) {
  for (int worker = 0; worker < context.pool.size(); ++worker) {
    gradients_.emplace_back(context.memory);
  }
}

bool StoredPass::takes(const LocalLoss& op, const PairLayout& layout) {
  return op.target_rule == TargetRule::kInput && DistanceStore::fits(layout, op.layer_count);
}

double StoredPass::gradient_bytes(double blocks, std::int64_t threads) {
  return static_cast<double>(threads * kWidestShare * kTile) * (blocks + 1) * sizeof(float);
}

void StoredPass::run(const LocalLoss& op, const PairLayout& layout) {
  layout_ = &layout;
  const Layers layers = prepare(op);
  pack(layers);
  for (Layers pending = layers; !pending.empty();) {
    form_distances(pending);
    form_errors(pending);
    std::erase_if(pending, [](StoredLayer* layer) { return layer->errors().settle(); });
  }
  write_gradients(layers);
  for (StoredLayer* layer : layers) {
    layer->errors().write_statistics();
    layer->errors().add_maxima();
  }
}

StoredPass::Layers StoredPass::prepare(const LocalLoss& op) {
  schedule_.emplace(*layout_);
  target_.prepare(op, *layout_);
  Layers layers;
  for (std::int64_t l = 0; l < op.layer_count; ++l) {
    const auto at = static_cast<std::size_t>(l);
    if (at == layers_.size()) layers_.push_back(std::make_unique<StoredLayer>(context_));
    layers_[at]->prepare(op, op.layers[l], *layout_);
    layers.push_back(layers_[at].get());
  }
  return layers;
}

void StoredPass::pack(const Layers& layers) {
  context_.pool.parallel_for(layout_->blocks(), [&](std::int64_t block, int worker) {
    for (StoredLayer* layer : layers) layer->pack(block, worker);
  });
  for (StoredLayer* layer : layers) layer->find_ties();
}

void StoredPass::form_distances(const Layers& layers) {
  const auto tasks = schedule_->tasks();
  std::vector<float> largest(tasks.size() * layers.size(), 0.0F);
  context_.pool.parallel_for(static_cast<std::int64_t>(tasks.size()), [&](std::int64_t task, int) {
    const auto t = static_cast<std::size_t>(task);
    tasks[t].each_tile([&](std::int64_t strip, std::int64_t block) {
      for (std::size_t l = 0; l < layers.size(); ++l) {
        float& of_task = largest[t * layers.size() + l];
        of_task = std::max(of_task, layers[l]->form_distances(strip, block));
      }
    });
  });
  for (std::size_t k = 0; k < largest.size(); ++k) {
    layers[k % layers.size()]->errors().raise_maximum(largest[k]);
  }
}

void StoredPass::form_errors(const Layers& layers) {
  const auto tasks = schedule_->tasks();
  std::vector<LayerErrors::Found> found(tasks.size() * layers.size());
  for (StoredLayer* layer : layers) layer->errors().begin();
  context_.pool.parallel_for(
      static_cast<std::int64_t>(tasks.size()), [&](std::int64_t task, int worker) {
        const auto t = static_cast<std::size_t>(task);
        tasks[t].each_tile([&](std::int64_t strip, std::int64_t block) {
          PairTile tile = worker_tiles_.get(worker, layout_->sparse(), false);
          target_.form(strip, block, tile);
          const TilePlace place{.strip = strip, .block = block, .task = task, .worker = worker};
          for (std::size_t l = 0; l < layers.size(); ++l) {
            layers[l]->form_errors(place, tile, found[t * layers.size() + l]);
          }
        });
      });
  for (std::size_t k = 0; k < found.size(); ++k) {
    layers[k % layers.size()]->errors().add(found[k]);
  }
}

// Enough shares for all threads, of equal width as far as the layers' widths allow.
std::vector<StoredPass::Share> StoredPass::share_out(const Layers& layers) const {
  constexpr std::int64_t kSharesPerThread = 3;
  std::int64_t dims = 0;
  for (const StoredLayer* layer : layers) dims += layer->panels() * layer->panel_width();
  const std::int64_t wanted =
      std::min(kWidestShare, ceil_div(dims, kSharesPerThread * context_.pool.size()));
  std::vector<Share> shares;
  for (StoredLayer* layer : layers) {
    if (!layer->wants_gradient()) continue;
    const std::int64_t panels = layer->panels();
    const std::int64_t count = ceil_div(panels * layer->panel_width(), wanted);
    for (std::int64_t s = 0; s < std::min(count, panels); ++s) {
      const std::int64_t first = panels * s / std::min(count, panels);
      const std::int64_t end = panels * (s + 1) / std::min(count, panels);
      shares.push_back({layer, first, end - first});
    }
  }
  return shares;
}

void StoredPass::write_gradients(const Layers& layers) {
  const std::vector<Share> shares = share_out(layers);
  context_.pool.parallel_for(
      static_cast<std::int64_t>(shares.size()), [&](std::int64_t s, int worker) {
        const Share& share = shares[static_cast<std::size_t>(s)];
        Scratch<float>& memory = gradients_[static_cast<std::size_t>(worker)];
        share.layer->write_gradient(share.first, share.count,
                                    memory.get(share.layer->gradient_size(share.count)));
      });
}

}  // namespace lpdm::cpu
