#include "cpu/pairs/layer_errors.h"

namespace lpdm::cpu {

void LayerErrors::prepare(const LocalLoss& op, const LocalLossLayer& layer, std::int64_t target_dim,
                          const PairLayout& layout) {
  op_ = &op;
  layout_ = &layout;
  layer_ = layer;
  weights_ = loss_weights(op.scale, target_dim, layer.out);
  maximum_ = 0.0F;
  maximum_coefficient_ = 0.0;
}

ErrorWeights LayerErrors::weights() const {
  return {.target = static_cast<float>(weights_.target),
          .output = static_cast<float>(weights_.output),
          .distance = static_cast<float>(ratio_or_zero(weights_.output, maximum_))};
}

void LayerErrors::begin() {
  sums_ = {};
  maxima_ = {};
}

float LayerErrors::form(const TilePlace& place, const Tile& tile, Found& found) const {
  const bool diagonal = place.block == place.strip;
  const ErrorWeights of_pair = weights();
  const PairSums sums = error_tile({.metric = op_->target.metric,
                                    .rows = layout_->block_rows(place.block),
                                    .columns = layout_->block_kept(place.strip),
                                    .diagonal = diagonal,
                                    .target_weight = of_pair.target,
                                    .distance_weight = of_pair.distance,
                                    .maximum = maximum_,
                                    .maximum_coefficient = static_cast<float>(maximum_coefficient_),
                                    .target = tile.target,
                                    .distances = tile.distances,
                                    .weights = tile.weights,
                                    .coefficients = tile.coefficients,
                                    .row_sums = tile.row_sums,
                                    .column_sums = tile.column_sums});
  found.sums.add(sums);
  if (diagonal && !layout_->sparse()) add_diagonal(place.strip, tile.target, found.sums);
  if (maximum_ > 0.0F && NearMaxima::near(sums.max_distance, maximum_)) {
    list_maxima(place, tile.distances, found.maxima);
  }
  return sums.max_distance;
}

void LayerErrors::add_diagonal(std::int64_t strip, const float* target, PairSums& sums) const {
  for (std::int64_t r = 0; r < layout_->block_kept(strip); ++r) {
    add_diagonal_entry(weights_, target[r * kTile + r], sums);
  }
}

void LayerErrors::list_maxima(const TilePlace& place, const float* distances,
                              NearMaxima& maxima) const {
  const std::int64_t columns = layout_->block_kept(place.strip);
  for (std::int64_t r = 0; r < layout_->block_rows(place.block); ++r) {
    const std::int64_t end = place.block == place.strip ? std::min(r, columns) : columns;
    for (std::int64_t c = 0; c < end; ++c) {
      const float distance = distances[r * kTile + c];
      if (!NearMaxima::near(distance, maximum_)) continue;
      maxima.note(distance, maximum_,
                  {layout_->row_index(place.strip)[c], layout_->row_index(place.block)[r]});
    }
  }
}

void LayerErrors::add(const Found& found) {
  sums_.add(found.sums);
  maxima_.add(found.maxima);
}

bool LayerErrors::wants_maxima() const {
  return layer_.delta != nullptr && op_->max_gradient == MaxGradient::kThrough;
}

bool LayerErrors::settle() {
  if (sums_.max_distance > maximum_) {
    maximum_ = sums_.max_distance;
    return false;
  }
  const bool needs_maxima = wants_maxima() && maximum_ > 0.0F;
  if (maxima_.all_listed() || !needs_maxima || maximum_coefficient_ != 0.0) return true;
  maximum_coefficient_ = maximum_share(sums_, maximum_, maxima_.maxima_count());
  return maximum_coefficient_ == 0.0;
}

void LayerErrors::write_statistics() const {
  *layer_.statistics = loss_statistics(sums_, op_->norm, maximum_, layout_->entries());
}

double LayerErrors::gradient_factor() const {
  return cpu::gradient_factor(sums_, op_->norm, weights_.output, maximum_);
}

void LayerErrors::add_maxima() const {
  if (!wants_maxima() || maximum_coefficient_ != 0.0) return;
  add_listed_maxima(*op_, layer_, maxima_, sums_, maximum_, gradient_factor());
}

}  // namespace lpdm::cpu
