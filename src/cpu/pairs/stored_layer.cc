#include "cpu/pairs/stored_layer.h"

#include <algorithm>

#include "cpu/common/activation.h"
#include "cpu/pairs/gradient_rows.h"
#include "cpu/pairs/level_gradient.h"
#include "cpu/pairs/pair_schedule.h"

namespace lpdm::cpu {

StoredLayer::StoredLayer(Context& context)
    : context_(context),
      blocks_(context),
      store_(context),
      values_(context.memory),
      sums_(context.memory) {}

void StoredLayer::begin(const LocalLoss& op, const LocalLossLayer& spec, const PairLayout& layout) {
  metric_ = op.target.metric;
  spec_ = spec;
  store_.arrange(layout);
  if (uses_levels(context_, op, spec)) {
    blocks_.begin_levels(layout, spec);
  } else {
    blocks_.begin(layout, spec.output, spec.out);
    if (wants_gradient()) values_.get(layout.blocks() * values_size());
  }
}

void StoredLayer::pack(const PairLayout& layout, std::int64_t block, int worker) {
  blocks_.pack(layout, block, worker);
  if (blocks_.in_levels() || !wants_gradient()) return;
  pack_panels(spec_.output, spec_.out, layout.row_index(block), layout.block_rows(block),
              values_.data() + block * values_size());
}

float StoredLayer::form_distances(const PairLayout& layout, std::int64_t tile) {
  const auto [strip, block, task, worker] = store_.place(tile);
  const std::int64_t rows = layout.block_rows(block);
  const bool diagonal = block == strip;
  distance_tile(metric_, blocks_.panel(block), rows, blocks_.panel(strip), spec_.out,
                store_.tile(tile), diagonal);
  return tile_maximum(store_.tile(tile), rows, layout.block_kept(strip), kTile, diagonal);
}

void StoredLayer::complete(const LocalLoss& op, const LocalLossLayer& spec,
                           const PairLayout& layout) {
  spec_ = spec;
  layout_ = &layout;
  store_.arrange(layout);
  errors_.prepare(op, spec, op.target.dim, layout);
  sums_.get(store_.tiles() * 2 * kTile);
  units_.resize(static_cast<std::size_t>(store_.tiles()));
  if (blocks_.in_levels() || !wants_gradient() || metric_ != Metric::kL1) return;
  ties_.build(context_, layout, blocks_);
}

void StoredLayer::form_errors(std::int64_t number, const PairTile& tile,
                              LayerErrors::Found& found) {
  const TilePlace place = store_.place(number);
  errors_.form(place,
               {.target = tile.target,
                .weights = tile.weights,
                .distances = store_.tile(number),
                .coefficients = tile.coefficients,
                .row_sums = row_sums(number),
                .column_sums = column_sums(number)},
               found);
  if (!wants_gradient()) return;
  const std::int64_t rows = layout_->block_rows(place.block);
  if (blocks_.in_levels()) {
    units_[static_cast<std::size_t>(number)] =
        quantize_tile(tile.coefficients, row_sums(number), rows, words(number));
  } else {
    std::copy_n(tile.coefficients, rows * kTile, store_.tile(number));
  }
}

std::int64_t StoredLayer::panel_width() const {
  return blocks_.in_levels() ? kLevelPanelWidth : kPanelWidth;
}

std::int64_t StoredLayer::panels() const { return ceil_div(spec_.out, panel_width()); }

// A gradient of all blocks, and of a tile's columns on the diagonal.
std::int64_t StoredLayer::gradient_size(std::int64_t count) const {
  return (layout_->blocks() + 1) * count * panel_width() * kTile;
}

void StoredLayer::write_gradient(std::int64_t first_panel, std::int64_t count,
                                 float* memory) const {
  const Range range{.first = first_panel * panel_width(),
                    .end = std::min(spec_.out, (first_panel + count) * panel_width()),
                    .block_size = count * panel_width() * kTile};
  float* diagonal = memory + layout_->blocks() * range.block_size;
  std::fill_n(memory, layout_->blocks() * range.block_size, 0.0F);
  std::vector<double> offsets(static_cast<std::size_t>(layout_->positions()), 0.0);
  for_tiles_nearby(*layout_, [&](std::int64_t strip, std::int64_t block) {
    if (metric_ == Metric::kL1) add_offsets(strip, block, offsets.data());
    float* row_gradient = memory + block * range.block_size;
    if (block != strip) {
      add_tile(range, strip, block, memory + strip * range.block_size, row_gradient);
      return;
    }
    std::fill_n(diagonal, range.block_size, 0.0F);
    add_tile(range, strip, block, diagonal, row_gradient);
    add_floats(diagonal, range.block_size, row_gradient);
  });
  write_rows(range, memory, offsets.data());
}

void StoredLayer::add_offsets(std::int64_t strip, std::int64_t block, double* offsets) const {
  const std::int64_t number = store_.number(strip, block);
  const float* of_rows = row_sums(number);
  for (std::int64_t r = 0; r < layout_->block_rows(block); ++r) {
    offsets[block * kTile + r] += of_rows[r];
  }
  const float* of_columns = column_sums(number);
  for (std::int64_t c = 0; c < layout_->block_kept(strip); ++c) {
    offsets[strip * kTile + c] -= of_columns[c];
  }
}

void StoredLayer::add_tile(const Range& range, std::int64_t strip, std::int64_t block,
                           float* column_gradient, float* row_gradient) const {
  const std::int64_t number = store_.number(strip, block);
  const std::int64_t rows = layout_->block_rows(block);
  const std::int64_t columns = layout_->block_kept(strip);
  const std::int64_t at = range.first * kTile;
  if (blocks_.in_levels()) {
    level_gradient_tile({.words = words(number),
                         .unit = units_[static_cast<std::size_t>(number)],
                         .rows = rows,
                         .columns = columns,
                         .diagonal = block == strip,
                         .dim = range.end - range.first,
                         .column_levels = blocks_.levels().panels(strip) + at,
                         .row_levels = blocks_.levels().panels(block) + at,
                         .column_gradient = column_gradient,
                         .row_gradient = row_gradient});
    return;
  }
  const std::int64_t panels = panels_of(range.end - range.first);
  const auto ties = metric_ == Metric::kL1
                        ? ties_.between(strip, block, range.first / kPanelWidth, panels)
                        : std::vector<std::uint8_t>();
  gradient_tile({.metric = metric_,
                 .coefficients = store_.tile(number),
                 .rows = rows,
                 .columns = columns,
                 .diagonal = block == strip,
                 .panels = panels,
                 .ties = ties.data(),
                 .column_values = values_.data() + strip * values_size() + at,
                 .column_gradient = column_gradient,
                 .row_values = values_.data() + block * values_size() + at,
                 .row_gradient = row_gradient});
}

void StoredLayer::write_rows(const Range& range, const float* gradient,
                             const double* offsets) const {
  const auto factor = static_cast<float>(errors_.gradient_factor());
  for (std::int64_t block = 0; block < layout_->blocks(); ++block) {
    alignas(kAlignment) float of_rows[kTile];
    std::transform(offsets + block * kTile, offsets + (block + 1) * kTile, of_rows,
                   [](double offset) { return static_cast<float>(offset); });
    write_gradient_rows({.panels = gradient + block * range.block_size,
                         .row_index = layout_->row_index(block),
                         .rows = layout_->block_rows(block),
                         .dim = spec_.out,
                         .first = range.first,
                         .end = range.end,
                         .scale = metric_ == Metric::kL1 ? 2.0F : 1.0F,
                         .offsets = of_rows,
                         .factor = factor,
                         .activation = delta_activation(spec_),
                         .output = spec_.output,
                         .delta = spec_.delta});
  }
}

}  // namespace lpdm::cpu
