#include "cpu/pairs/stored_pass.h"

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

void StoredPass::begin(const LocalLoss& op, const PairLayout& layout) {
  layer_count_ = static_cast<std::size_t>(op.layer_count);
  while (layers_.size() < layer_count_) {
    layers_.push_back(std::make_unique<StoredLayer>(context_));
  }
  for (std::size_t l = 0; l < layer_count_; ++l) layers_[l]->begin(op, op.layers[l], layout);
  packed_ = formed_ = 0;
  largest_.assign(static_cast<std::size_t>(first_tile(layout.blocks())) * layer_count_, 0.0F);
}

void StoredPass::pack(const PairLayout& layout, std::int64_t block, int worker) {
  for (std::size_t l = 0; l < layer_count_; ++l) layers_[l]->pack(layout, block, worker);
}

void StoredPass::form_distances(const PairLayout& layout, std::int64_t tile) {
  float* largest = largest_.data() + static_cast<std::size_t>(tile) * layer_count_;
  for (std::size_t l = 0; l < layer_count_; ++l) {
    largest[l] = layers_[l]->form_distances(layout, tile);
  }
}

void StoredPass::finish(const LocalLoss& op, const PairLayout& layout) {
  layout_ = &layout;
  target_.prepare(op, layout);
  pack_rest();
  form_rest();
  Layers layers;
  for (std::size_t l = 0; l < layer_count_; ++l) {
    layers_[l]->complete(op, op.layers[l], layout);
    layers.push_back(layers_[l].get());
  }
  raise_maxima(layers);
  for (Layers pending = layers; !pending.empty();) {
    form_errors(pending);
    std::erase_if(pending, [](StoredLayer* layer) { return layer->errors().settle(); });
    form_again(pending);
  }
  write_gradients(layers);
  for (StoredLayer* layer : layers) {
    layer->errors().write_statistics();
    layer->errors().add_maxima();
  }
}

void StoredPass::pack_rest() {
  const std::int64_t blocks = layout_->blocks();
  context_.pool.parallel_for(
      blocks - packed_, [&](std::int64_t k, int worker) { pack(*layout_, packed_ + k, worker); });
  packed_ = blocks;
}

void StoredPass::form_rest() {
  const std::int64_t blocks = layout_->blocks();
  const std::int64_t first = first_tile(formed_);
  context_.pool.parallel_for(first_tile(blocks) - first,
                             [&](std::int64_t k, int) { form_distances(*layout_, first + k); });
  formed_ = blocks;
}

// The distances, whose place coefficients have taken.
void StoredPass::form_again(const Layers& layers) {
  context_.pool.parallel_for(first_tile(layout_->blocks()), [&](std::int64_t tile, int) {
    for (StoredLayer* layer : layers) layer->form_distances(*layout_, tile);
  });
}

void StoredPass::raise_maxima(const Layers& layers) {
  const auto count = static_cast<std::size_t>(first_tile(layout_->blocks())) * layer_count_;
  for (std::size_t k = 0; k < count; ++k) {
    layers[k % layer_count_]->errors().raise_maximum(largest_[k]);
  }
}

void StoredPass::form_errors(const Layers& layers) {
  constexpr std::int64_t kMostTasks = 512;
  const std::int64_t tiles = first_tile(layout_->blocks());
  const std::int64_t per_task = ceil_div(tiles, kMostTasks);
  const std::int64_t tasks = ceil_div(tiles, per_task);
  std::vector<LayerErrors::Found> found(static_cast<std::size_t>(tasks) * layers.size());
  for (StoredLayer* layer : layers) layer->errors().begin();
  context_.pool.parallel_for(tasks, [&](std::int64_t task, int worker) {
    LayerErrors::Found* of_task = found.data() + static_cast<std::size_t>(task) * layers.size();
    const std::int64_t end = std::min(tiles, (task + 1) * per_task);
    for (std::int64_t number = task * per_task; number < end; ++number) {
      const TilePlace place = layers.front()->store().place(number);
      PairTile tile = worker_tiles_.get(worker, layout_->sparse(), false);
      target_.form(place.strip, place.block, tile);
      for (std::size_t l = 0; l < layers.size(); ++l) {
        layers[l]->form_errors(number, tile, of_task[l]);
      }
    }
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
