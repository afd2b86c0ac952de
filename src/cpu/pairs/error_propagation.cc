#include "cpu/pairs/error_propagation.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "cpu/ops/target_statistics.h"
#include "cpu/pairs/largest_entry.h"

namespace lpdm::cpu {

void ErrorPropagation::prepare(const LocalLoss& op, const PairLayout& layout,
                               const InputTarget& input, const Layers& layers,
                               StartTile start_tile) {
  op_ = &op;
  layout_ = &layout;
  input_ = &input;
  layers_ = &layers;
  start_tile_ = std::move(start_tile);
  links_.assign(static_cast<std::size_t>(op.layer_count), {});
  for (std::int64_t l = 0; l + 1 < op.layer_count; ++l) {
    pass_of(l).raise_maximum(largest([&](std::int64_t strip, std::int64_t block, PairTile& tile) {
      pass_of(l).form_distances(strip, block, tile.target);
    }));
    Link& link = links_[static_cast<std::size_t>(l)];
    link.error_scale = error_scale(l);
    link.scales = target_scales(l);
  }
}

void ErrorPropagation::advance(std::int64_t layer, std::int64_t strip, std::int64_t block,
                               PairTile& tile) const {
  form_error(layer, block, tile);
  enlarge(layer, block, tile);
  input_->normalize(strip, block, links_[static_cast<std::size_t>(layer)].scales, tile.target);
  std::swap(tile.input_distances, tile.distances);
}

// form(strip, block, tile) leaves the matrix in tile.target.
template <class Form>
float ErrorPropagation::largest(const Form& form) const {
  return largest_entry(context_, *layout_,
                       [&](std::int64_t strip, std::int64_t block, int worker, float* matrix) {
                         PairTile tile = tiles_.get(worker, layout_->sparse(), true);
                         tile.target = matrix;
                         form(strip, block, tile);
                       });
}

float ErrorPropagation::error_scale(std::int64_t layer) const {
  const float largest_error = largest([&](std::int64_t strip, std::int64_t block, PairTile& tile) {
    reach(layer, strip, block, tile);
    form_error(layer, block, tile);
  });
  // E is the difference of two terms of at most s_T and s_Y: below this it is their rounding.
  const ErrorWeights weights = pass_of(layer).error_weights();
  const float rounding =
      4.0F * std::numeric_limits<float>::epsilon() * std::max(weights.target, weights.output);
  return largest_error > rounding ? 1.0F / largest_error : 0.0F;
}

TargetScales ErrorPropagation::target_scales(std::int64_t layer) const {
  const auto form = [&](std::int64_t strip, std::int64_t block, PairTile& tile) {
    reach(layer, strip, block, tile);
    form_error(layer, block, tile);
    enlarge(layer, block, tile);
  };
  const auto largest_shifted = [&](double input_scale) {
    const TargetScales scales{.input_scale = input_scale, .target_scale = 1.0};
    return largest([&](std::int64_t strip, std::int64_t block, PairTile& tile) {
      form(strip, block, tile);
      input_->normalize(strip, block, scales, tile.target);
    });
  };
  return find_target_scales(
      op_->target, [&] { return largest(form); }, largest_shifted);
}

// A layer's T and its D_Y as `distances`, from the network input on.
void ErrorPropagation::reach(std::int64_t layer, std::int64_t strip, std::int64_t block,
                             PairTile& tile) const {
  start_tile_(strip, block, tile);
  for (std::int64_t l = 0; l < layer; ++l) {
    pass_of(l).form_distances(strip, block, tile.distances);
    advance(l, strip, block, tile);
  }
  pass_of(layer).form_distances(strip, block, tile.distances);
}

// T → |E|, in place.
void ErrorPropagation::form_error(std::int64_t layer, std::int64_t block, PairTile& tile) const {
  const ErrorWeights weights = pass_of(layer).error_weights();
  const std::int64_t size = layout_->block_rows(block) * kTile;
  for (std::int64_t k = 0; k < size; ++k) {
    tile.target[k] =
        std::abs(weights.target * tile.target[k] - weights.distance * tile.distances[k]);
  }
  if (tile.weights == nullptr) return;
  for (std::int64_t k = 0; k < size; ++k) {
    tile.target[k] = tile.weights[k] > 0.0F ? tile.target[k] : 0.0F;
  }
}

// |E| → the distances of the layer's input times 1 + |E| / max |E|, or times |E| / max |E|.
void ErrorPropagation::enlarge(std::int64_t layer, std::int64_t block, PairTile& tile) const {
  const float scale = links_[static_cast<std::size_t>(layer)].error_scale;
  const float offset = op_->error_rule == ErrorRule::kOnePlus ? 1.0F : 0.0F;
  for (std::int64_t k = 0; k < layout_->block_rows(block) * kTile; ++k) {
    tile.target[k] = tile.input_distances[k] * (offset + scale * tile.target[k]);
  }
}

}  // namespace lpdm::cpu
