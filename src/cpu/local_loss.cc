#include "cpu/local_loss.h"

#include <algorithm>
#include <cmath>
#include <tuple>
#include <utility>

#include "cpu/activation.h"
#include "cpu/target_statistics.h"

namespace lpdm::cpu {

namespace {

constexpr std::int64_t kTileSize = kTile * kTile;

// (s_T, s_Y) of method section 1.
std::pair<double, double> loss_weights(LossScale scale, std::int64_t in, std::int64_t out) {
  const double per_in = 1.0 / static_cast<double>(in);
  const double per_out = 1.0 / static_cast<double>(out);
  switch (scale) {
    case LossScale::kOwn:
      return {per_in, per_out};
    case LossScale::kCross:
      return {per_out, per_in};
    case LossScale::kNone:
      break;
  }
  return {1.0, 1.0};
}

std::int64_t padded_dim(std::int64_t dim) { return ceil_div(dim, kPanelWidth) * kPanelWidth; }

double ratio_or_zero(double numerator, double denominator) {
  return denominator > 0.0 ? numerator / denominator : 0.0;
}

}  // namespace

LocalLossPass::LocalLossPass(Context& context) : context_(context), input_(context) {
  for (int worker = 0; worker < context.pool.size(); ++worker)
    workers_.emplace_back(context.memory);
}

void LocalLossPass::run(const LocalLoss& op) {
  prepare(op);
  std::vector<Layer*> pending;
  for (const auto& layer : layers_) pending.push_back(layer.get());
  while (!pending.empty()) {
    pass(pending);
    std::erase_if(pending, [this](Layer* layer) { return settle(*layer); });
  }
  for (const auto& layer : layers_) finish(*layer);
}

void LocalLossPass::prepare(const LocalLoss& op) {
  op_ = &op;
  layout_ = std::make_unique<PairLayout>(op.target);
  schedule_ = std::make_unique<PairSchedule>(*layout_);
  input_.pack(*layout_, op.target.input, op.target.dim);
  shifts_.clear();
  if (op.target.shift != nullptr) shifts_ = shifts_by_position(*layout_, op.target.shift);
  while (static_cast<std::int64_t>(layers_.size()) < op.layer_count) {
    layers_.push_back(std::make_unique<Layer>(context_));
  }
  layers_.resize(static_cast<std::size_t>(op.layer_count));
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    Layer& layer = *layers_[l];
    layer.spec = op.layers[l];
    layer.blocks.pack(*layout_, layer.spec.output, layer.spec.out);
    layer.panels_size = padded_dim(layer.spec.out) * kTile;
    std::tie(layer.target_weight, layer.output_weight) =
        loss_weights(op.scale, op.target.dim, layer.spec.out);
    layer.maximum = furthest_pair(context_, *layout_, layer.blocks, op.target.metric);
    layer.maximum_coefficient = 0.0;
    layer.value_scale = op.target.metric == Metric::kL1 ? sign_scale(layer.blocks.max_abs()) : 1.0F;
  }
}

void LocalLossPass::pass(const std::vector<Layer*>& layers) {
  for (Layer* layer : layers) {
    layer->sums = {};
    layer->maxima.clear();
    layer->maxima_count = 0;
    if (!layer->wants_gradient()) continue;
    std::fill_n(layer->spec.delta, layout_->rows() * layer->spec.out, 0.0F);
    layer->strip_gradient.get(schedule_->max_tasks() * layer->panels_size);
  }
  for (std::int64_t strip = 0; strip < schedule_->strips(); ++strip) {
    const std::int64_t tasks = schedule_->tasks(strip);
    found_.assign(static_cast<std::size_t>(tasks) * layers.size(), {});
    context_.pool.parallel_for(tasks, [&](std::int64_t task, int worker) {
      run_task(layers, strip, task, workers_[static_cast<std::size_t>(worker)]);
    });
    for (std::size_t at = 0; at < found_.size(); ++at) {
      Layer& layer = *layers[at % layers.size()];
      layer.sums.add(found_[at].sums);
      layer.maxima_count += found_[at].maxima_count;
      for (const Pair& pair : found_[at].maxima) {
        if (static_cast<std::int64_t>(layer.maxima.size()) < kMaxListed)
          layer.maxima.push_back(pair);
      }
    }
    for (Layer* layer : layers) {
      if (layer->wants_gradient()) reduce_strip(*layer, strip);
    }
  }
}

void LocalLossPass::run_task(const std::vector<Layer*>& layers, std::int64_t strip,
                             std::int64_t task, WorkerScratch& scratch) {
  float* target = scratch.tiles.get(3 * kTileSize);
  std::int64_t columns_size = 0;
  for (const Layer* layer : layers) columns_size += layer->panels_size;
  float* columns = scratch.columns.get(columns_size);
  float* layer_columns = columns;
  for (Layer* layer : layers) {
    if (layer->wants_gradient()) {
      pack_column_panels(layer->spec.output, layer->spec.out, layout_->row_index(strip),
                         layout_->block_rows(strip), layer->value_scale, layer_columns);
      std::fill_n(layer->strip_gradient.get(0) + task * layer->panels_size, layer->panels_size,
                  0.0F);
    }
    layer_columns += layer->panels_size;
  }
  const std::int64_t end = schedule_->end_block(strip, task);
  for (std::int64_t block = schedule_->first_block(strip, task); block < end; ++block) {
    form_target(strip, block, target);
    layer_columns = columns;
    for (std::size_t l = 0; l < layers.size(); ++l) {
      run_tile(*layers[l], strip, task, block, target, target + kTileSize, target + 2 * kTileSize,
               layer_columns, found_[static_cast<std::size_t>(task) * layers.size() + l]);
      layer_columns += layers[l]->panels_size;
    }
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

void LocalLossPass::run_tile(Layer& layer, std::int64_t strip, std::int64_t task,
                             std::int64_t block, const float* target, float* distances,
                             float* coefficients, const float* columns, Found& found) {
  const Metric metric = op_->target.metric;
  const std::int64_t rows = layout_->block_rows(block);
  distance_tile(metric, layer.blocks.panel(block), rows, layer.blocks.panel(strip), layer.spec.out,
                distances);
  const auto distance_weight =
      static_cast<float>(ratio_or_zero(layer.output_weight, layer.maximum));
  const PairSums sums =
      error_tile({.metric = metric,
                  .rows = rows,
                  .columns = layout_->block_kept(strip),
                  .diagonal = block == strip,
                  .target_weight = static_cast<float>(layer.target_weight),
                  .distance_weight = distance_weight,
                  .maximum = layer.maximum,
                  .maximum_coefficient = static_cast<float>(layer.maximum_coefficient),
                  .target = target,
                  .distances = distances,
                  .coefficients = coefficients});
  found.sums.add(sums);
  if (block == strip) add_diagonal(layer, strip, target, found.sums);
  if (sums.max_distance == layer.maximum && layer.maximum > 0.0F) {
    list_maxima(layer, strip, block, distances, found);
  }
  if (!layer.wants_gradient()) return;
  gradient_tile({.metric = metric,
                 .coefficients = coefficients,
                 .rows = rows,
                 .columns = layout_->block_kept(strip),
                 .diagonal = block == strip,
                 .dim = layer.spec.out,
                 .column_values = columns,
                 .column_gradient = layer.strip_gradient.get(0) + task * layer.panels_size,
                 .row_index = layout_->row_index(block),
                 .values = layer.spec.output,
                 .gradient = layer.spec.delta,
                 .value_scale = layer.value_scale});
}

// The entries (i, i): D is 0, T need not be when guided.
void LocalLossPass::add_diagonal(const Layer& layer, std::int64_t strip, const float* target,
                                 PairSums& sums) const {
  for (std::int64_t r = 0; r < layout_->block_kept(strip); ++r) {
    const double t = target[r * kTile + r];
    sums.error_squared += layer.target_weight * t * layer.target_weight * t;
    sums.target += t;
    sums.target_squared += t * t;
  }
}

void LocalLossPass::list_maxima(const Layer& layer, std::int64_t strip, std::int64_t block,
                                const float* distances, Found& found) const {
  const bool diagonal = block == strip;
  for (std::int64_t r = 0; r < layout_->block_rows(block); ++r) {
    const std::int64_t columns = layout_->block_kept(strip);
    for (std::int64_t c = 0; c < (diagonal ? std::min(r, columns) : columns); ++c) {
      if (distances[r * kTile + c] != layer.maximum) continue;
      ++found.maxima_count;
      if (static_cast<std::int64_t>(found.maxima.size()) < kMaxListed) {
        found.maxima.push_back({layout_->row_index(strip)[c], layout_->row_index(block)[r]});
      }
    }
  }
}

// Adds the tasks' partial gradients of the strip's own block, in order.
void LocalLossPass::reduce_strip(Layer& layer, std::int64_t strip) {
  const float* partial = layer.strip_gradient.get(0);
  constexpr std::int64_t kRowsPerTask = 16;
  const std::int64_t rows = layout_->block_kept(strip);
  context_.pool.parallel_for(ceil_div(rows, kRowsPerTask), [&](std::int64_t group, int) {
    const std::int64_t first = group * kRowsPerTask;
    for (std::int64_t task = 0; task < schedule_->tasks(strip); ++task) {
      add_column_panels(partial + task * layer.panels_size, layer.spec.out,
                        layout_->row_index(strip), first, std::min(rows, first + kRowsPerTask),
                        layer.spec.delta);
    }
  });
}

// True when the pass just made was made with the true maximum and knows all pairs that share it.
bool LocalLossPass::settle(Layer& layer) const {
  if (layer.sums.max_distance > layer.maximum) {
    layer.maximum = layer.sums.max_distance;
    return false;
  }
  const bool all_listed = layer.maxima_count == static_cast<std::int64_t>(layer.maxima.size());
  const bool needs_maxima =
      layer.wants_gradient() && op_->max_gradient == MaxGradient::kThrough && layer.maximum > 0.0F;
  if (all_listed || !needs_maxima || layer.maximum_coefficient != 0.0) return true;
  layer.maximum_coefficient =
      -layer.sums.error_distance / layer.maximum / (2.0 * static_cast<double>(layer.maxima_count));
  return layer.maximum_coefficient == 0.0;
}

// The max term of the gradient, in the units of E: −Σ E·D̄ / K at each of the K entries.
void LocalLossPass::add_listed_maxima(Layer& layer) {
  const std::int64_t dim = layer.spec.out;
  const bool l1 = op_->target.metric == Metric::kL1;
  const double share =
      -layer.sums.error_distance / layer.maximum / (2.0 * static_cast<double>(layer.maxima_count));
  const auto coefficient = static_cast<float>(l1 ? share : share / layer.maximum);
  for (const Pair& pair : layer.maxima) {
    const float* first = layer.spec.output + pair.first * dim;
    const float* second = layer.spec.output + pair.second * dim;
    float* first_gradient = layer.spec.delta + pair.first * dim;
    float* second_gradient = layer.spec.delta + pair.second * dim;
    for (std::int64_t d = 0; d < dim; ++d) {
      const float difference = first[d] - second[d];
      const float direction =
          l1 ? static_cast<float>((difference > 0.0F) - (difference < 0.0F)) : difference;
      first_gradient[d] += coefficient * direction;
      second_gradient[d] -= coefficient * direction;
    }
  }
}

void LocalLossPass::finish(Layer& layer) {
  const PairSums& sums = layer.sums;
  const double maximum = layer.maximum;
  const double norm = std::sqrt(sums.error_squared);
  const bool squared = op_->norm == LossNorm::kSquared;
  const double entries = layout_->entries();
  LocalLossStatistics& statistics = *layer.spec.statistics;
  statistics.loss = squared ? sums.error_squared : norm;
  statistics.max_distance = maximum;
  statistics.mean_distance = ratio_or_zero(sums.distance / entries, maximum);
  const double covariance = sums.target_distance - sums.target * sums.distance / entries;
  const double target_variance = sums.target_squared - sums.target * sums.target / entries;
  const double distance_variance = sums.distance_squared - sums.distance * sums.distance / entries;
  const bool varied = target_variance > 1e-12 * sums.target_squared &&
                      distance_variance > 1e-12 * sums.distance_squared;
  statistics.correlation =
      varied ? covariance / std::sqrt(target_variance * distance_variance) : 0.0;
  if (!layer.wants_gradient()) return;

  if (op_->max_gradient == MaxGradient::kThrough && layer.maximum_coefficient == 0.0 &&
      layer.maxima_count > 0) {
    add_listed_maxima(layer);
  }
  const double slope = squared ? 2.0 : ratio_or_zero(1.0, norm);
  const double factor = ratio_or_zero(-2.0 * layer.output_weight * slope, maximum);
  const Activation activation =
      layer.spec.delta_through_activation ? layer.spec.activation : Activation::kIdentity;
  scale_by_activation_gradient(context_, activation, static_cast<float>(factor), layer.spec.output,
                               layout_->rows() * layer.spec.out, layer.spec.delta);
}

}  // namespace lpdm::cpu
