#include "cpu/lowrank/lowrank_pass.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

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
      moments_(context),
      blocks_(context),
      block_(context.memory),
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
  const SeriesWeights weights = series_weights(*op.scales, layer);
  layer.sums = pair_sums(layer, weights);
  layer.sums.max_distance = layer.maximum;
  const auto rows = static_cast<double>(rows_);
  *spec.statistics = loss_statistics(layer.sums, op.norm, layer.maximum, rows * rows);
  if (spec.delta != nullptr) write_gradient(op, layer, weights);
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

FeatureRows LowRankPass::block_of(std::int64_t rows) const {
  const std::int64_t outputs_begin = FeatureRows::kInputsBegin + input_.count();
  const std::int64_t columns = outputs_begin + output_.count();
  return {.features = block_.data(),
          .rows = rows,
          .stride = ceil_div(columns, kStrideStep) * kStrideStep + kStrideStep,
          .outputs_begin = outputs_begin,
          .columns = columns};
}

FeatureRows LowRankPass::form_block(const LayerState& layer, std::int64_t first,
                                    std::int64_t rows) {
  block_.get(rows * block_of(rows).stride);
  const FeatureRows block = block_of(rows);
  const std::int64_t stride = block.stride;
  context_.pool.parallel_for(ceil_div(rows, kRowsPerTask), [&](std::int64_t task, int) {
    const std::int64_t begin = task * kRowsPerTask;
    const std::int64_t count = std::min(kRowsPerTask, rows - begin);
    const std::int64_t row = first + begin;
    float* to = block_.data() + begin * stride;
    for (std::int64_t r = 0; r < count; ++r) {
      to[r * stride] = 1.0F;
      to[r * stride + 1] = target_.shift != nullptr ? target_.shift[row + r] : 0.0F;
    }
    input_.write(target_.input + row * target_.dim, count, stride, to + FeatureRows::kInputsBegin);
    output_.write(layer.spec.output + row * layer.spec.out, count, stride,
                  to + block.outputs_begin);
  });
  return block;
}

SeriesWeights LowRankPass::series_weights(const TargetScales& scales,
                                          const LayerState& layer) const {
  const double input = scales.input_scale * scales.target_scale;
  return {.constant = input * input_.offset(),
          .shift = target_.shift != nullptr ? scales.target_scale : 0.0,
          .input = input,
          .offset = output_.offset(),
          .input_diagonal = input_.diagonal(),
          .output_diagonal = output_.diagonal(),
          .target_weight = layer.weights.target,
          .distance_weight = ratio_or_zero(layer.weights.output, layer.maximum)};
}

PairSums LowRankPass::pair_sums(const LayerState& layer, const SeriesWeights& weights) {
  if (few_rows_) return gram_.form(form_block(layer, 0, rows_), weights);
  const FeatureRows shape = block_of(0);
  moments_.clear(shape.columns);
  for (std::int64_t first = 0; first < rows_; first += kBlockRows) {
    moments_.add(form_block(layer, first, std::min(kBlockRows, rows_ - first)));
  }
  return moments_.sums(shape, weights);
}

void LowRankPass::write_gradient(const LocalLoss& op, const LayerState& layer,
                                 const SeriesWeights& weights) {
  const double factor = gradient_factor(layer.sums, op.norm, layer.weights.output, layer.maximum);
  if (few_rows_) {
    write_delta(layer, 0, block_of(rows_), factor);
  } else {
    moments_.weigh(block_of(0), weights);
    for (std::int64_t first = 0; first < rows_; first += kBlockRows) {
      const std::int64_t rows = std::min(kBlockRows, rows_ - first);
      write_delta(layer, first, form_block(layer, first, rows), factor);
    }
  }
  if (op.max_gradient == MaxGradient::kThrough) {
    add_listed_maxima(op, layer.spec, layer.maxima, layer.sums, layer.maximum, factor);
  }
}

// first: the batch's row that the block begins with.
void LowRankPass::write_delta(const LayerState& layer, std::int64_t first, const FeatureRows& block,
                              double factor) {
  const LocalLossLayer& spec = layer.spec;
  const Activation activation = delta_activation(spec);
  const std::int64_t width = block.outputs();
  float* credit = credit_.get(block.rows * width);
  context_.pool.parallel_for(ceil_div(block.rows, kRowsPerTask), [&](std::int64_t task, int) {
    const std::int64_t begin = task * kRowsPerTask;
    const std::int64_t end = std::min(begin + kRowsPerTask, block.rows);
    if (few_rows_) {
      gram_.credit(block, begin, end - begin, credit + begin * width);
    } else {
      moments_.credit(block, begin, end - begin, credit + begin * width);
    }
    for (std::int64_t r = begin; r < end; ++r) {
      const std::int64_t at = (first + r) * spec.out;
      output_.differentiate(block.features + r * block.stride + block.outputs_begin,
                            credit + r * width, spec.delta + at);
      for (std::int64_t d = 0; d < spec.out; ++d) {
        spec.delta[at + d] *=
            -static_cast<float>(factor) * activation_slope(activation, spec.output[at + d]);
      }
    }
  });
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
    bytes += LowRankMoments::bytes(all, credits, gradient, threads);
  }
  return bytes + sizeof(float) * (packed + block + credit);
}

}  // namespace lpdm::cpu
