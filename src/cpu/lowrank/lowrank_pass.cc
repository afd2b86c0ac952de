#include "cpu/lowrank/lowrank_pass.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "core/blas.h"
#include "cpu/common/activation.h"
#include "cpu/ops/target_statistics.h"
#include "lpdm/error.h"

namespace lpdm::cpu {

namespace {

constexpr std::int64_t kRowsPerTask = 256;

void require_plain_pairs(const PairwiseTarget& target) {
  if (target.metric != Metric::kL1 || target.landmarks != nullptr ||
      target.sparse != SparsePairs::kNone || target.episode_ends != nullptr) {
    throw UsageError(
        "low-rank pairs were asked for with metric l2, landmarks, sparse pairs or episode blocks; "
        "set hidden.pairs to all or leave those at their defaults");
  }
}

float largest_of(const std::vector<FoundPair>& pairs) {
  float largest = 0.0F;
  for (const FoundPair& pair : pairs) largest = std::max(largest, pair.distance);
  return largest;
}

}  // namespace

LowRankPass::LowRankPass(Context& context)
    : context_(context),
      gram_(context),
      product_(context),
      blocks_(context),
      block_(context.memory),
      matrix_(context.memory),
      credit_(context.memory) {}

void LowRankPass::target_statistics(const TargetStatistics& op) {
  require_plain_pairs(op.target);
  const PairLayout layout(op.target);
  blocks_.begin(layout, op.target.input, op.target.dim);
  blocks_.pack_all(layout);
  const auto search = [&](const PairMeasure& measure) {
    return largest_of(furthest_pairs(context_, layout, blocks_, Metric::kL1, measure));
  };
  *op.scales = find_target_scales(
      op.target, [&] { return search({}); },
      [&](double input_scale) {
        const float* shifts = op.target.shift;  // rows stand in their own order
        const float diagonal = 2.0F * *std::max_element(shifts, shifts + layout.rows());
        return std::max(diagonal, search({static_cast<float>(input_scale), shifts}));
      });
}

void LowRankPass::run(const LocalLoss& op) {
  require_plain_pairs(op.target);
  if (op.target_rule != TargetRule::kInput) {
    throw UsageError(
        "low-rank pairs were asked for with error propagation; set hidden.pairs to all or "
        "hidden.target to input");
  }
  target_ = op.target;
  rows_ = *op.target.rows.count;
  std::int64_t widest = 0;
  for (std::int64_t l = 0; l < op.layer_count; ++l) widest = std::max(widest, op.layers[l].out);
  few_rows_ = LowRankGram::takes(rows_, all_columns(op.target.dim, widest, op.target.low_rank));
  input_.fit(context_, op.target.input, rows_, op.target.dim, op.target.low_rank);
  for (std::int64_t l = 0; l < op.layer_count; ++l) run_layer(op, op.layers[l]);
}

void LowRankPass::run_layer(const LocalLoss& op, const LocalLossLayer& spec) {
  LayerState layer;
  layer.spec = spec;
  layer.weights = loss_weights(op.scale, op.target.dim, spec.out);
  output_.fit(context_, spec.output, rows_, spec.out, op.target.low_rank);
  find_maximum(layer);
  if (few_rows_) {
    layer.sums = form_errors(op, layer);
  } else {
    form_product(layer);
    layer.sums = pair_sums(op, layer);
  }
  const auto rows = static_cast<double>(rows_);
  *spec.statistics = loss_statistics(layer.sums, op.norm, layer.maximum, rows * rows);
  if (spec.delta != nullptr) write_gradient(op, layer);
}

void LowRankPass::find_maximum(LayerState& layer) {
  const PairLayout layout(target_);
  blocks_.begin(layout, layer.spec.output, layer.spec.out);
  blocks_.pack_all(layout);
  const std::vector<FoundPair> pairs = furthest_pairs(context_, layout, blocks_, Metric::kL1, {});
  layer.maximum = largest_of(pairs);
  std::set<std::pair<std::int64_t, std::int64_t>> seen;  // two rows may have found each other
  for (const FoundPair& pair : pairs) {
    if (!NearMaxima::near(pair.distance, layer.maximum)) continue;
    const auto [first, second] = std::minmax(pair.first, pair.second);
    if (!seen.insert({first, second}).second) continue;
    layer.maxima.note(pair.distance, layer.maximum, {first, second});
  }
}

// Rows of U into block_.
void LowRankPass::form_block(const LayerState& layer, std::int64_t first, std::int64_t rows) {
  context_.pool.parallel_for(ceil_div(rows, kRowsPerTask), [&](std::int64_t task, int) {
    const std::int64_t begin = task * kRowsPerTask;
    const std::int64_t count = std::min(kRowsPerTask, rows - begin);
    const std::int64_t row = first + begin;
    float* to = block_.data() + begin * stride();
    for (std::int64_t r = 0; r < count; ++r) {
      to[r * stride()] = 1.0F;
      to[r * stride() + 1] = target_.shift != nullptr ? target_.shift[row + r] : 0.0F;
    }
    input_.write(target_.input + row * target_.dim, count, stride(), to + kInputBegin);
    output_.write(layer.spec.output + row * layer.spec.out, count, stride(), to + outputs_begin());
  });
}

FeatureRows LowRankPass::feature_rows() const {
  return {.features = block_.data(),
          .rows = rows_,
          .stride = stride(),
          .inputs_begin = kInputBegin,
          .outputs_begin = outputs_begin(),
          .columns = columns()};
}

PairSums LowRankPass::form_errors(const LocalLoss& op, const LayerState& layer) {
  block_.get(rows_ * stride());
  form_block(layer, 0, rows_);
  const Weights t = target_weights(*op.scales);
  PairSums sums = gram_.form(feature_rows(), {.constant = t.constant,
                                              .shift = t.shift,
                                              .input = t.input,
                                              .offset = output_.offset(),
                                              .target_weight = layer.weights.target,
                                              .distance_weight = layer.distance_weight()});
  sums.max_distance = layer.maximum;
  return sums;
}

void LowRankPass::form_product(const LayerState& layer) {
  block_.get(std::min(kBlockRows, rows_) * stride());
  product_.clear(columns());
  for (std::int64_t first = 0; first < rows_; first += kBlockRows) {
    const std::int64_t rows = std::min(kBlockRows, rows_ - first);
    form_block(layer, first, rows);
    product_.add(block_.data(), rows, stride());
  }
}

LowRankPass::Weights LowRankPass::target_weights(const TargetScales& scales) const {
  const double input = scales.input_scale * scales.target_scale;
  return {.constant = input * input_.offset(),
          .shift = target_.shift != nullptr ? scales.target_scale : 0.0,
          .input = input,
          .output = 0.0};
}

// With T = r_ij − w Fx_i·Fx_j, r_ij = constant + shift (g_i + g_j), and D = c − F_i·F_j.
PairSums LowRankPass::pair_sums(const LocalLoss& op, const LayerState& layer) const {
  const Weights t = target_weights(*op.scales);
  const double c = output_.offset();
  const auto n = static_cast<double>(rows_);
  const double g = product_.at(0, 1);
  const double gg = product_.at(1, 1);
  // Σ_ij of the features' inner products, plain and with g_i.
  const auto inner = [&](std::int64_t row, std::int64_t begin, std::int64_t end) {
    double sum = 0.0;
    for (std::int64_t k = begin; k < end; ++k) sum += product_.at(0, k) * product_.at(row, k);
    return sum;
  };
  const std::int64_t middle = outputs_begin();
  const std::int64_t end = columns();
  const double xx = inner(0, kInputBegin, middle);
  const double yy = inner(0, middle, end);
  const double r_xx = t.constant * xx + 2.0 * t.shift * inner(1, kInputBegin, middle);
  const double r_yy = t.constant * yy + 2.0 * t.shift * inner(1, middle, end);
  const double r = t.constant * n * n + 2.0 * t.shift * n * g;
  const double rr = t.constant * t.constant * n * n + 4.0 * t.constant * t.shift * n * g +
                    2.0 * t.shift * t.shift * (n * gg + g * g);
  PairSums sums;
  sums.target = r - t.input * xx;
  sums.target_squared =
      rr - 2.0 * t.input * r_xx +
      t.input * t.input * product_.squares(kInputBegin, middle, kInputBegin, middle);
  sums.distance = c * n * n - yy;
  sums.distance_squared = c * c * n * n - 2.0 * c * yy + product_.squares(middle, end, middle, end);
  sums.target_distance =
      c * r - r_yy - t.input * (c * xx - product_.squares(kInputBegin, middle, middle, end));
  remove_diagonal(t, sums);
  const double target = layer.weights.target;
  const double distance = layer.distance_weight();
  sums.error_distance = target * sums.target_distance - distance * sums.distance_squared;
  sums.error_squared = std::max(0.0, target * target * sums.target_squared -
                                         2.0 * target * distance * sums.target_distance +
                                         distance * distance * sums.distance_squared);
  sums.max_distance = layer.maximum;
  return sums;
}

// The series gives the distance of a row from itself as one number instead of 0.
void LowRankPass::remove_diagonal(const Weights& target, PairSums& sums) const {
  const auto n = static_cast<double>(rows_);
  const double shifts = 2.0 * target.shift * product_.at(0, 1);  // Σ T_ii
  const double x = target.input * input_.diagonal();
  const double y = output_.diagonal();
  sums.target -= n * x;
  sums.target_squared -= n * x * x + 2.0 * x * shifts;
  sums.distance -= n * y;
  sums.distance_squared -= n * y * y;
  sums.target_distance -= y * (n * x + shifts);
}

// matrix_ = S M, the columns of the output's features.
void LowRankPass::form_credit_matrix(const LocalLoss& op, const LayerState& layer) {
  const Weights t = target_weights(*op.scales);
  const double s = layer.weights.target;
  const double distance = layer.distance_weight();
  const Weights error = {.constant = s * t.constant - distance * output_.offset(),
                         .shift = s * t.shift,
                         .input = s * t.input,
                         .output = distance};
  const std::int64_t begin = outputs_begin();
  const std::int64_t width = output_.count();
  float* matrix = matrix_.get(columns() * width);
  context_.pool.parallel_for(columns(), [&](std::int64_t row, int) {
    const double scale = row < begin ? -error.input : error.output;
    for (std::int64_t k = 0; k < width; ++k) {
      double value = scale * product_.at(row, begin + k);
      if (row == 0) {
        value =
            error.constant * product_.at(0, begin + k) + error.shift * product_.at(1, begin + k);
      }
      if (row == 1) value = error.shift * product_.at(0, begin + k);
      matrix[row * width + k] = static_cast<float>(value);
    }
  });
}

// to (count, output features): Σ_j E_ij F_j for rows of block_.
void LowRankPass::write_credit(std::int64_t begin, std::int64_t count, float* to) const {
  const std::int64_t width = output_.count();
  if (few_rows_) {
    gram_.credit(feature_rows(), begin, count, to);
  } else if (width > 0) {
    blas::sgemm(blas::Transpose::kNo, blas::Transpose::kNo, count, width, columns(),
                block_.data() + begin * stride(), stride(), matrix_.data(), width, 0.0F, to, width);
  }
}

void LowRankPass::write_gradient(const LocalLoss& op, const LayerState& layer) {
  const LocalLossLayer& spec = layer.spec;
  if (!few_rows_) form_credit_matrix(op, layer);
  const std::int64_t width = output_.count();
  float* credit = credit_.get(std::min(kBlockRows, rows_) * width);
  const double factor = gradient_factor(layer.sums, op.norm, layer.weights.output, layer.maximum);
  const Activation activation = delta_activation(spec);
  for (std::int64_t first = 0; first < rows_; first += kBlockRows) {
    const std::int64_t rows = std::min(kBlockRows, rows_ - first);
    if (!few_rows_) form_block(layer, first, rows);
    context_.pool.parallel_for(ceil_div(rows, kRowsPerTask), [&](std::int64_t task, int) {
      const std::int64_t begin = task * kRowsPerTask;
      const std::int64_t end = std::min(begin + kRowsPerTask, rows);
      write_credit(begin, end - begin, credit + begin * width);
      for (std::int64_t r = begin; r < end; ++r) {
        const std::int64_t at = (first + r) * spec.out;
        output_.differentiate(block_.data() + r * stride() + outputs_begin(), credit + r * width,
                              spec.delta + at);
        for (std::int64_t d = 0; d < spec.out; ++d) {
          spec.delta[at + d] *=
              -static_cast<float>(factor) * activation_slope(activation, spec.output[at + d]);
        }
      }
    });
  }
  if (op.max_gradient == MaxGradient::kThrough) {
    add_listed_maxima(op, spec, layer.maxima, layer.sums, layer.maximum, factor);
  }
}

double LowRankPass::scratch_bytes(double rows, std::int64_t in, std::int64_t out,
                                  std::int64_t terms, bool gradient, double threads) {
  constexpr auto kTileRows = static_cast<double>(kTile);
  // The search has a block of its own for the rows it starts from.
  const double packed =
      (std::ceil(rows / kTileRows) + 1) * kTileRows * static_cast<double>(std::max(in, out) + 1);
  const std::int64_t taking_part = rows > 1.0 ? terms : 0;  // one row has no range
  const auto all = static_cast<double>(all_columns(in, out, taking_part));
  const auto credits = static_cast<double>(2 * taking_part * out);
  const double block_rows = std::min(static_cast<double>(kBlockRows), rows);
  const double block = block_rows * (all + 2.0 * static_cast<double>(kStrideStep));
  const double credit = gradient ? block_rows * credits : 0.0;
  // Shorter batches of the same run may be few rows.
  double bytes = LowRankGram::bytes(std::min(block_rows, all), threads);
  if (rows > std::min(static_cast<double>(kBlockRows), all)) {
    const double matrix = gradient ? all * credits : 0.0;
    bytes += LowRankProduct::bytes(all, threads) + sizeof(float) * matrix;
  }
  return bytes + sizeof(float) * (packed + block + credit);
}

}  // namespace lpdm::cpu
