#include "cpu/layer_pass.h"

#include <algorithm>

#include "cpu/activation.h"
#include "cpu/level_gradient.h"

namespace lpdm::cpu {

LayerPass::LayerPass(Context& context)
    : context_(context),
      blocks_(context),
      distances_(context),
      values_(context.memory),
      gradient_(context.memory),
      diagonal_(context.memory) {}

void LayerPass::prepare(const LocalLoss& op, const LocalLossLayer& spec, std::int64_t target_dim,
                        const PairLayout& layout, bool store_distances) {
  op_ = &op;
  spec_ = spec;
  layout_ = &layout;
  weights_ = loss_weights(op.scale, target_dim, spec.out);
  maximum_coefficient_ = 0.0;
  if (uses_levels(context_, op, spec)) {
    blocks_.pack_levels(layout, spec);
  } else {
    blocks_.pack(layout, spec.output, spec.out);
  }
  distances_.clear();
  maximum_ = store_distances ? distances_.fill(layout, blocks_, op.target.metric)
                             : furthest_pair(context_, layout, blocks_, op.target.metric);
  if (!wants_gradient()) return;
  gradient_.get(layout.blocks() * block_size());
  diagonal_.get(context_.pool.size() * block_size());
  if (!blocks_.in_levels()) pack_values();
}

void LayerPass::pack_values() {
  float* values = values_.get(layout_->blocks() * block_size());
  context_.pool.parallel_for(layout_->blocks(), [&](std::int64_t block, int) {
    pack_panels(spec_.output, spec_.out, layout_->row_index(block), layout_->block_rows(block),
                values + block * block_size());
  });
  if (op_->target.metric == Metric::kL1) ties_.build(context_, *layout_, blocks_);
}

void LayerPass::begin_pass() {
  stale_ = false;
  sums_ = {};
  maxima_ = {};
  if (!wants_gradient()) return;
  std::fill_n(gradient_.get(0), layout_->blocks() * block_size(), 0.0F);
  offsets_.assign(static_cast<std::size_t>(layout_->blocks() * kTile), 0.0);
}

void LayerPass::begin_round(std::size_t tasks) { found_.assign(tasks, {}); }

void LayerPass::form_distances(std::int64_t strip, std::int64_t block, float* distances) const {
  distance_tile(op_->target.metric, blocks_.panel(block), layout_->block_rows(block),
                blocks_.panel(strip), spec_.out, distances);
}

ErrorWeights LayerPass::error_weights() const {
  return {.target = static_cast<float>(weights_.target),
          .output = static_cast<float>(weights_.output),
          .distance = static_cast<float>(ratio_or_zero(weights_.output, maximum_))};
}

const float* LayerPass::distances_of(const TilePlace& place, const PairTile& tile) const {
  if (!distances_.empty()) return distances_.tile(place.strip, place.block);
  // Error propagation reads whole tiles.
  distance_tile(op_->target.metric, blocks_.panel(place.block), layout_->block_rows(place.block),
                blocks_.panel(place.strip), spec_.out, tile.distances,
                place.block == place.strip && op_->target_rule == TargetRule::kInput);
  return tile.distances;
}

void LayerPass::run_tile(const TilePlace& place, const PairTile& tile) {
  const bool diagonal = place.block == place.strip;
  const float* distances = distances_of(place, tile);
  alignas(kAlignment) float row_sums[kTile];
  alignas(kAlignment) float column_sums[kTile];
  const ErrorWeights weights = error_weights();
  const PairSums sums = error_tile({.metric = op_->target.metric,
                                    .rows = layout_->block_rows(place.block),
                                    .columns = layout_->block_kept(place.strip),
                                    .diagonal = diagonal,
                                    .target_weight = weights.target,
                                    .distance_weight = weights.distance,
                                    .maximum = maximum_,
                                    .maximum_coefficient = static_cast<float>(maximum_coefficient_),
                                    .target = tile.target,
                                    .distances = distances,
                                    .weights = tile.weights,
                                    .coefficients = tile.coefficients,
                                    .row_sums = row_sums,
                                    .column_sums = column_sums});
  Found& found = found_[static_cast<std::size_t>(place.task)];
  found.sums.add(sums);
  if (diagonal && !layout_->sparse()) add_diagonal(place.strip, tile.target, found.sums);
  if (maximum_ > 0.0F && NearMaxima::near(sums.max_distance, maximum_)) {
    list_maxima(place, distances, found);
  }
  if (sums.max_distance > maximum_) stale_ = true;
  if (wants_gradient() && !stale_) add_gradient(place, tile.coefficients, row_sums, column_sums);
}

void LayerPass::add_diagonal(std::int64_t strip, const float* target, PairSums& sums) const {
  for (std::int64_t r = 0; r < layout_->block_kept(strip); ++r) {
    add_diagonal_entry(weights_, target[r * kTile + r], sums);
  }
}

void LayerPass::list_maxima(const TilePlace& place, const float* distances, Found& found) const {
  const std::int64_t columns = layout_->block_kept(place.strip);
  for (std::int64_t r = 0; r < layout_->block_rows(place.block); ++r) {
    const std::int64_t end = place.block == place.strip ? std::min(r, columns) : columns;
    for (std::int64_t c = 0; c < end; ++c) {
      const float distance = distances[r * kTile + c];
      if (!NearMaxima::near(distance, maximum_)) continue;
      found.maxima.note(distance, maximum_,
                        {layout_->row_index(place.strip)[c], layout_->row_index(place.block)[r]});
    }
  }
}

void LayerPass::add_gradient(const TilePlace& place, const float* coefficients,
                             const float* row_sums, const float* column_sums) {
  if (op_->target.metric == Metric::kL1) {
    double* row_offsets = offsets_.data() + place.block * kTile;
    for (std::int64_t r = 0; r < layout_->block_rows(place.block); ++r) {
      row_offsets[r] += row_sums[r];
    }
    double* column_offsets = offsets_.data() + place.strip * kTile;
    for (std::int64_t c = 0; c < layout_->block_kept(place.strip); ++c) {
      column_offsets[c] -= column_sums[c];
    }
  }
  float* row_gradient = gradient_.data() + place.block * block_size();
  float* column_gradient = gradient_.data() + place.strip * block_size();
  const bool diagonal = place.block == place.strip;
  if (diagonal) {
    column_gradient = diagonal_.data() + place.worker * block_size();
    std::fill_n(column_gradient, block_size(), 0.0F);
  }
  if (blocks_.in_levels()) {
    add_level_gradient(place, coefficients, row_sums, column_gradient, row_gradient);
  } else {
    add_float_gradient(place, coefficients, column_gradient, row_gradient);
  }
  if (diagonal) add_floats(column_gradient, block_size(), row_gradient);
}

void LayerPass::add_float_gradient(const TilePlace& place, const float* coefficients,
                                   float* column_gradient, float* row_gradient) {
  std::vector<std::uint8_t>& ties = found_[static_cast<std::size_t>(place.task)].ties;
  if (op_->target.metric == Metric::kL1) {
    ties.resize(static_cast<std::size_t>(panels_of(spec_.out)));
    ties_.between(place.strip, place.block, ties.data());
  }
  gradient_tile({.metric = op_->target.metric,
                 .coefficients = coefficients,
                 .rows = layout_->block_rows(place.block),
                 .columns = layout_->block_kept(place.strip),
                 .diagonal = place.block == place.strip,
                 .panels = panels_of(spec_.out),
                 .ties = ties.data(),
                 .column_values = values_.data() + place.strip * block_size(),
                 .column_gradient = column_gradient,
                 .row_values = values_.data() + place.block * block_size(),
                 .row_gradient = row_gradient});
}

void LayerPass::add_level_gradient(const TilePlace& place, const float* coefficients,
                                   const float* row_sums, float* column_gradient,
                                   float* row_gradient) const {
  level_gradient_tile({.coefficients = coefficients,
                       .row_sums = row_sums,
                       .rows = layout_->block_rows(place.block),
                       .columns = layout_->block_kept(place.strip),
                       .diagonal = place.block == place.strip,
                       .dim = spec_.out,
                       .column_levels = blocks_.levels().panels(place.strip),
                       .row_levels = blocks_.levels().panels(place.block),
                       .column_gradient = column_gradient,
                       .row_gradient = row_gradient});
}

// Adds what the tasks found, in their order.
void LayerPass::end_round() {
  for (const Found& found : found_) {
    sums_.add(found.sums);
    maxima_.add(found.maxima);
  }
}

bool LayerPass::settle() {
  if (sums_.max_distance > maximum_) {
    maximum_ = sums_.max_distance;
    return false;
  }
  const bool needs_maxima =
      wants_gradient() && op_->max_gradient == MaxGradient::kThrough && maximum_ > 0.0F;
  if (maxima_.all_listed() || !needs_maxima || maximum_coefficient_ != 0.0) return true;
  maximum_coefficient_ = maximum_share(sums_, maximum_, maxima_.maxima_count());
  return maximum_coefficient_ == 0.0;
}

void LayerPass::finish() {
  *spec_.statistics = loss_statistics(sums_, op_->norm, maximum_, layout_->entries());
  if (wants_gradient()) write_gradient();
}

void LayerPass::write_gradient() {
  const bool l1 = op_->target.metric == Metric::kL1;
  context_.pool.parallel_for(layout_->blocks(), [&](std::int64_t block, int) {
    alignas(kAlignment) float offsets[kTile];
    std::transform(offsets_.data() + block * kTile, offsets_.data() + (block + 1) * kTile, offsets,
                   [](double offset) { return static_cast<float>(offset); });
    unpack_panels(gradient_.data() + block * block_size(), spec_.out, layout_->row_index(block),
                  layout_->block_rows(block), l1 ? 2.0F : 1.0F, offsets, spec_.delta);
  });
  const double factor = gradient_factor(sums_, op_->norm, weights_.output, maximum_);
  scale_by_activation_gradient(context_, delta_activation(spec_), static_cast<float>(factor),
                               spec_.output, layout_->rows() * spec_.out, spec_.delta);
  if (op_->max_gradient == MaxGradient::kThrough && maximum_coefficient_ == 0.0) {
    add_listed_maxima(*op_, spec_, maxima_, sums_, maximum_, factor);
  }
}

}  // namespace lpdm::cpu
