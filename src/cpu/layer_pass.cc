#include "cpu/layer_pass.h"

#include <algorithm>
#include <cmath>
#include <tuple>
#include <utility>

#include "cpu/activation.h"

namespace lpdm::cpu {

namespace {

// (s_T, s_Y) of the method's section 1.
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

double ratio_or_zero(double numerator, double denominator) {
  return denominator > 0.0 ? numerator / denominator : 0.0;
}

// Distances above this share of the maximum may equal it but for rounding.
constexpr float kNear = 1.0F - 1e-6F;

}  // namespace

LayerPass::LayerPass(Context& context)
    : context_(context),
      blocks_(context),
      values_(context.memory),
      gradient_(context.memory),
      strip_gradient_(context.memory) {}

void LayerPass::prepare(const LocalLoss& op, const LocalLossLayer& spec, std::int64_t target_dim,
                        const PairLayout& layout, const PairSchedule& schedule) {
  op_ = &op;
  spec_ = spec;
  layout_ = &layout;
  schedule_ = &schedule;
  std::tie(target_weight_, output_weight_) = loss_weights(op.scale, target_dim, spec.out);
  maximum_coefficient_ = 0.0;
  blocks_.pack(layout, spec.output, spec.out);
  maximum_ = furthest_pair(context_, layout, blocks_, op.target.metric);
  if (!wants_gradient()) return;
  float* values = values_.get(layout.blocks() * block_size());
  context_.pool.parallel_for(layout.blocks(), [&](std::int64_t block, int) {
    pack_panels(spec.output, spec.out, layout.row_index(block), layout.block_rows(block),
                values + block * block_size());
  });
  gradient_.get(layout.blocks() * block_size());
  strip_gradient_.get(schedule.max_tasks() * block_size());
  if (op.target.metric == Metric::kL1) ties_.build(context_, layout, blocks_);
}

void LayerPass::begin_pass() {
  sums_ = {};
  maxima_.clear();
  maxima_count_ = 0;
  near_count_ = 0;
  if (!wants_gradient()) return;
  std::fill_n(gradient_.get(0), layout_->blocks() * block_size(), 0.0F);
  offsets_.assign(static_cast<std::size_t>(layout_->blocks() * kTile), 0.0F);
}

void LayerPass::begin_strip(std::int64_t strip) {
  found_.assign(static_cast<std::size_t>(schedule_->tasks(strip)), {});
}

void LayerPass::form_distances(std::int64_t strip, std::int64_t block, float* distances) const {
  distance_tile(op_->target.metric, blocks_.panel(block), layout_->block_rows(block),
                blocks_.panel(strip), spec_.out, distances);
}

ErrorWeights LayerPass::error_weights() const {
  return {.target = static_cast<float>(target_weight_),
          .output = static_cast<float>(output_weight_),
          .distance = static_cast<float>(ratio_or_zero(output_weight_, maximum_))};
}

void LayerPass::run_tile(const TilePlace& place, const PairTile& tile) {
  const bool diagonal = place.block == place.strip;
  form_distances(place.strip, place.block, tile.distances);
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
                                    .distances = tile.distances,
                                    .weights = tile.weights,
                                    .coefficients = tile.coefficients,
                                    .row_sums = row_sums,
                                    .column_sums = column_sums});
  Found& found = found_[static_cast<std::size_t>(place.task)];
  found.sums.add(sums);
  for (std::int64_t c = 0; c < kTile; ++c) found.column_sums[c] += column_sums[c];
  if (diagonal && !layout_->sparse()) add_diagonal(place.strip, tile.target, found.sums);
  if (sums.max_distance >= kNear * maximum_ && maximum_ > 0.0F) {
    list_maxima(place, tile.distances, found);
  }
  if (wants_gradient()) add_gradient(place, tile.coefficients, row_sums);
}

// The entries (i, i): D is 0, T need not be when guided.
void LayerPass::add_diagonal(std::int64_t strip, const float* target, PairSums& sums) const {
  for (std::int64_t r = 0; r < layout_->block_kept(strip); ++r) {
    const double t = target[r * kTile + r];
    sums.error_squared += target_weight_ * t * target_weight_ * t;
    sums.target += t;
    sums.target_squared += t * t;
  }
}

void LayerPass::list_maxima(const TilePlace& place, const float* distances, Found& found) const {
  const std::int64_t columns = layout_->block_kept(place.strip);
  for (std::int64_t r = 0; r < layout_->block_rows(place.block); ++r) {
    const std::int64_t end = place.block == place.strip ? std::min(r, columns) : columns;
    for (std::int64_t c = 0; c < end; ++c) {
      const float distance = distances[r * kTile + c];
      if (distance < kNear * maximum_) continue;
      ++found.near_count;
      found.maxima_count += distance == maximum_ ? 1 : 0;
      if (static_cast<std::int64_t>(found.maxima.size()) < kMaxListed) {
        found.maxima.push_back(
            {layout_->row_index(place.strip)[c], layout_->row_index(place.block)[r]});
      }
    }
  }
}

void LayerPass::add_gradient(const TilePlace& place, const float* coefficients,
                             const float* row_sums) {
  const std::int64_t rows = layout_->block_rows(place.block);
  std::vector<std::uint8_t>& ties = found_[static_cast<std::size_t>(place.task)].ties;
  if (op_->target.metric == Metric::kL1) {
    ties.resize(static_cast<std::size_t>(panels_of(spec_.out)));
    ties_.between(place.strip, place.block, ties.data());
    for (std::int64_t r = 0; r < rows; ++r) {
      offsets_[static_cast<std::size_t>(place.block * kTile + r)] += row_sums[r];
    }
  }
  gradient_tile({.metric = op_->target.metric,
                 .coefficients = coefficients,
                 .rows = rows,
                 .columns = layout_->block_kept(place.strip),
                 .diagonal = place.block == place.strip,
                 .panels = panels_of(spec_.out),
                 .ties = ties.data(),
                 .column_values = values_.get(0) + place.strip * block_size(),
                 .column_gradient = column_gradient(place.task),
                 .fresh_columns = place.first_of_task,
                 .row_values = values_.get(0) + place.block * block_size(),
                 .row_gradient = gradient_.get(0) + place.block * block_size()});
}

// Adds what the tasks found, in their order, and their parts of the strip's own gradient.
void LayerPass::end_strip(std::int64_t strip) {
  for (const Found& found : found_) {
    sums_.add(found.sums);
    maxima_count_ += found.maxima_count;
    near_count_ += found.near_count;
    for (const Pair& pair : found.maxima) {
      if (static_cast<std::int64_t>(maxima_.size()) < kMaxListed) maxima_.push_back(pair);
    }
  }
  if (!wants_gradient()) return;
  if (op_->target.metric == Metric::kL1) {
    for (std::int64_t c = 0; c < kTile; ++c) {
      double sum = 0.0;
      for (const Found& found : found_) sum += found.column_sums[c];
      offsets_[static_cast<std::size_t>(strip * kTile + c)] -= static_cast<float>(sum);
    }
  }
  // Columns that are not kept were never written.
  constexpr std::int64_t kRowsPerStep = 8;
  const std::int64_t used =
      ceil_div(layout_->block_kept(strip), kRowsPerStep) * kRowsPerStep * kPanelWidth;
  float* own = gradient_.get(0) + strip * block_size();
  context_.pool.parallel_for(panels_of(spec_.out), [&](std::int64_t panel, int) {
    const std::int64_t at = panel * kTile * kPanelWidth;
    for (std::size_t task = 0; task < found_.size(); ++task) {
      add_floats(column_gradient(static_cast<std::int64_t>(task)) + at, used, own + at);
    }
  });
}

bool LayerPass::settle() {
  if (sums_.max_distance > maximum_) {
    maximum_ = sums_.max_distance;
    return false;
  }
  const bool all_listed = near_count_ == static_cast<std::int64_t>(maxima_.size());
  const bool needs_maxima =
      wants_gradient() && op_->max_gradient == MaxGradient::kThrough && maximum_ > 0.0F;
  if (all_listed || !needs_maxima || maximum_coefficient_ != 0.0) return true;
  maximum_coefficient_ =
      -sums_.error_distance / maximum_ / (2.0 * static_cast<double>(maxima_count_));
  return maximum_coefficient_ == 0.0;
}

void LayerPass::finish() {
  write_statistics();
  if (wants_gradient()) write_gradient();
}

void LayerPass::write_statistics() {
  const double entries = layout_->entries();
  LocalLossStatistics& statistics = *spec_.statistics;
  statistics.loss =
      op_->norm == LossNorm::kSquared ? sums_.error_squared : std::sqrt(sums_.error_squared);
  statistics.max_distance = maximum_;
  statistics.mean_distance = ratio_or_zero(sums_.distance, entries * maximum_);
  const double covariance = sums_.target_distance - sums_.target * sums_.distance / entries;
  const double target_variance = sums_.target_squared - sums_.target * sums_.target / entries;
  const double distance_variance =
      sums_.distance_squared - sums_.distance * sums_.distance / entries;
  constexpr double kConstant = 1e-12;  // relative variance that is only rounding
  const bool varied = target_variance > kConstant * sums_.target_squared &&
                      distance_variance > kConstant * sums_.distance_squared;
  statistics.correlation =
      varied ? std::clamp(covariance / std::sqrt(target_variance * distance_variance), -1.0, 1.0)
             : 0.0;
}

void LayerPass::write_gradient() {
  const float scale = op_->target.metric == Metric::kL1 ? 2.0F : 1.0F;
  context_.pool.parallel_for(layout_->blocks(), [&](std::int64_t block, int) {
    unpack_panels(gradient_.get(0) + block * block_size(), spec_.out, layout_->row_index(block),
                  layout_->block_rows(block), scale, offsets_.data() + block * kTile, spec_.delta);
  });
  if (op_->max_gradient == MaxGradient::kThrough && maximum_coefficient_ == 0.0 &&
      maxima_count_ > 0) {
    add_listed_maxima();
  }
  // ∂L/∂E · ∂E/∂D: −s_Y/(L m) or −2 s_Y/m, twice because D is symmetric.
  const double norm = std::sqrt(sums_.error_squared);
  const double slope = op_->norm == LossNorm::kSquared ? 2.0 : ratio_or_zero(1.0, norm);
  const double factor = ratio_or_zero(-2.0 * output_weight_ * slope, maximum_);
  const Activation activation =
      spec_.delta_through_activation ? spec_.activation : Activation::kIdentity;
  scale_by_activation_gradient(context_, activation, static_cast<float>(factor), spec_.output,
                               layout_->rows() * spec_.out, spec_.delta);
}

// Those of the listed pairs that share the maximum in float64: float32 cannot tell saturated rows
// whose distances differ in the eighth digit.
std::vector<LayerPass::Pair> LayerPass::true_maxima() const {
  std::vector<Pair> largest;
  double maximum = 0.0;
  for (const Pair& pair : maxima_) {
    double distance = 0.0;
    for (std::int64_t d = 0; d < spec_.out; ++d) {
      const double difference = static_cast<double>(spec_.output[pair.first * spec_.out + d]) -
                                spec_.output[pair.second * spec_.out + d];
      distance +=
          op_->target.metric == Metric::kL1 ? std::abs(difference) : difference * difference;
    }
    if (distance > maximum) largest.clear();
    maximum = std::max(maximum, distance);
    if (distance == maximum) largest.push_back(pair);
  }
  return largest;
}

// The max term of the gradient, in the units of E: −Σ E·D̄ / K at each of the K entries.
void LayerPass::add_listed_maxima() {
  const std::int64_t dim = spec_.out;
  const bool l1 = op_->target.metric == Metric::kL1;
  const std::vector<Pair> pairs = true_maxima();
  const double share = -sums_.error_distance / maximum_ / (2.0 * static_cast<double>(pairs.size()));
  const auto coefficient = static_cast<float>(l1 ? share : share / maximum_);
  for (const Pair& pair : pairs) {
    const float* first = spec_.output + pair.first * dim;
    const float* second = spec_.output + pair.second * dim;
    float* first_gradient = spec_.delta + pair.first * dim;
    float* second_gradient = spec_.delta + pair.second * dim;
    for (std::int64_t d = 0; d < dim; ++d) {
      const float difference = first[d] - second[d];
      const float direction =
          l1 ? static_cast<float>((difference > 0.0F) - (difference < 0.0F)) : difference;
      first_gradient[d] += coefficient * direction;
      second_gradient[d] -= coefficient * direction;
    }
  }
}

}  // namespace lpdm::cpu
