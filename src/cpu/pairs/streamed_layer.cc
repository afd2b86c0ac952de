#include "cpu/pairs/streamed_layer.h"

#include <algorithm>

#include "cpu/common/activation.h"
#include "cpu/pairs/gradient_rows.h"
#include "cpu/pairs/level_gradient.h"

namespace lpdm::cpu {

StreamedLayer::StreamedLayer(Context& context)
    : context_(context),
      blocks_(context),
      values_(context.memory),
      gradient_(context.memory),
      diagonal_(context.memory) {}

void StreamedLayer::prepare(const LocalLoss& op, const LocalLossLayer& spec,
                            std::int64_t target_dim, const PairLayout& layout) {
  op_ = &op;
  spec_ = spec;
  layout_ = &layout;
  errors_.prepare(op, spec, target_dim, layout);
  if (uses_levels(context_, op, spec)) {
    blocks_.begin_levels(layout, spec);
  } else {
    blocks_.begin(layout, spec.output, spec.out);
  }
  blocks_.pack_all(layout);
  errors_.raise_maximum(furthest_pair(context_, layout, blocks_, op.target.metric));
  if (!wants_gradient()) return;
  gradient_.get(layout.blocks() * block_size());
  diagonal_.get(context_.pool.size() * block_size());
  if (!blocks_.in_levels()) pack_values();
}

void StreamedLayer::pack_values() {
  float* values = values_.get(layout_->blocks() * block_size());
  context_.pool.parallel_for(layout_->blocks(), [&](std::int64_t block, int) {
    pack_panels(spec_.output, spec_.out, layout_->row_index(block), layout_->block_rows(block),
                values + block * block_size());
  });
  if (op_->target.metric == Metric::kL1) ties_.build(context_, *layout_, blocks_);
}

void StreamedLayer::begin_pass() {
  stale_ = false;
  errors_.begin();
  if (!wants_gradient()) return;
  std::fill_n(gradient_.data(), layout_->blocks() * block_size(), 0.0F);
  offsets_.assign(static_cast<std::size_t>(layout_->blocks() * kTile), 0.0);
}

void StreamedLayer::begin_round(std::size_t tasks) { found_.assign(tasks, {}); }

void StreamedLayer::form_distances(std::int64_t strip, std::int64_t block, float* distances) const {
  distance_tile(op_->target.metric, blocks_.panel(block), layout_->block_rows(block),
                blocks_.panel(strip), spec_.out, distances);
}

void StreamedLayer::run_tile(const TilePlace& place, const PairTile& tile) {
  // Error propagation reads whole tiles.
  const bool lower_half = place.block == place.strip && op_->target_rule == TargetRule::kInput;
  distance_tile(op_->target.metric, blocks_.panel(place.block), layout_->block_rows(place.block),
                blocks_.panel(place.strip), spec_.out, tile.distances, lower_half);
  alignas(kAlignment) float row_sums[kTile];
  alignas(kAlignment) float column_sums[kTile];
  const float largest = errors_.form(place,
                                     {.target = tile.target,
                                      .weights = tile.weights,
                                      .distances = tile.distances,
                                      .coefficients = tile.coefficients,
                                      .row_sums = row_sums,
                                      .column_sums = column_sums},
                                     found_[static_cast<std::size_t>(place.task)]);
  if (largest > errors_.maximum()) stale_ = true;
  if (wants_gradient() && !stale_) add_gradient(place, tile.coefficients, row_sums, column_sums);
}

void StreamedLayer::add_gradient(const TilePlace& place, const float* coefficients,
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

void StreamedLayer::add_float_gradient(const TilePlace& place, const float* coefficients,
                                       float* column_gradient, float* row_gradient) const {
  const std::int64_t panels = panels_of(spec_.out);
  const bool l1 = op_->target.metric == Metric::kL1;
  const auto ties =
      l1 ? ties_.between(place.strip, place.block, 0, panels) : std::vector<std::uint8_t>();
  gradient_tile({.metric = op_->target.metric,
                 .coefficients = coefficients,
                 .rows = layout_->block_rows(place.block),
                 .columns = layout_->block_kept(place.strip),
                 .diagonal = place.block == place.strip,
                 .panels = panels,
                 .ties = ties.data(),
                 .column_values = values_.data() + place.strip * block_size(),
                 .column_gradient = column_gradient,
                 .row_values = values_.data() + place.block * block_size(),
                 .row_gradient = row_gradient});
}

void StreamedLayer::add_level_gradient(const TilePlace& place, const float* coefficients,
                                       const float* row_sums, float* column_gradient,
                                       float* row_gradient) const {
  alignas(kAlignment) std::int32_t words[kTile * kTile];
  const std::int64_t rows = layout_->block_rows(place.block);
  const float unit = quantize_tile(coefficients, row_sums, rows, words);
  level_gradient_tile({.words = words,
                       .unit = unit,
                       .rows = rows,
                       .columns = layout_->block_kept(place.strip),
                       .diagonal = place.block == place.strip,
                       .dim = spec_.out,
                       .column_levels = blocks_.levels().panels(place.strip),
                       .row_levels = blocks_.levels().panels(place.block),
                       .column_gradient = column_gradient,
                       .row_gradient = row_gradient});
}

// Adds what the tasks found, in their order.
void StreamedLayer::end_round() {
  for (const LayerErrors::Found& found : found_) errors_.add(found);
}

void StreamedLayer::finish() {
  errors_.write_statistics();
  if (wants_gradient()) write_gradient();
}

void StreamedLayer::write_gradient() {
  const auto factor = static_cast<float>(errors_.gradient_factor());
  context_.pool.parallel_for(layout_->blocks(), [&](std::int64_t block, int) {
    alignas(kAlignment) float offsets[kTile];
    std::transform(offsets_.data() + block * kTile, offsets_.data() + (block + 1) * kTile, offsets,
                   [](double offset) { return static_cast<float>(offset); });
    write_gradient_rows({.panels = gradient_.data() + block * block_size(),
                         .row_index = layout_->row_index(block),
                         .rows = layout_->block_rows(block),
                         .dim = spec_.out,
                         .first = 0,
                         .end = spec_.out,
                         .scale = op_->target.metric == Metric::kL1 ? 2.0F : 1.0F,
                         .offsets = offsets,
                         .factor = factor,
                         .activation = delta_activation(spec_),
                         .output = spec_.output,
                         .delta = spec_.delta});
  });
  errors_.add_maxima();
}

}  // namespace lpdm::cpu
