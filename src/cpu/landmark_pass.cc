#include "cpu/landmark_pass.h"

#include <algorithm>

#include "cpu/activation.h"
#include "cpu/target_statistics.h"

namespace lpdm::cpu {

namespace {

constexpr std::int64_t kCached = std::int64_t{8} << 20;  // [bytes] that a core may well have cached

std::int64_t round_up(std::int64_t value, std::int64_t step) {
  return ceil_div(value, step) * step;
}

}  // namespace

LandmarkPass::LandmarkPass(Context& context)
    : context_(context),
      input_distances_(context.memory),
      distances_(context.memory),
      packed_(context.memory),
      low_halves_(context.memory),
      levels_(context),
      credit_(context.memory) {}

bool LandmarkPass::takes(const PairwiseTarget& target) {
  if (target.landmarks == nullptr || target.episode_ends != nullptr) return false;
  // With half of the rows or more, to use that D is symmetric pays.
  return *target.landmark_count <= std::min(kMostLandmarks, *target.rows.count / 2);
}

// run(block) for each block of kDistanceRows rows of a task, in order.
template <class Run>
void LandmarkPass::for_blocks(std::int64_t task, const Run& run) const {
  const Block all = task_rows(task);
  for (std::int64_t r = 0; r < all.rows; r += kDistanceRows) {
    run(Block{all.first + r, std::min(kDistanceRows, all.rows - r)});
  }
}

void LandmarkPass::prepare(const PairwiseTarget& target) {
  scales_ = nullptr;
  constexpr std::int64_t kMostTasks = 32;  // each holds a gradient of all landmarks
  constexpr std::int64_t kLeastRows = 128;
  target_ = target;
  rows_ = *target.rows.count;
  landmarks_ = *target.landmark_count;
  stride_ = round_up(landmarks_, kLandmarkLanes);
  rows_per_task_ = std::max(kLeastRows, round_up(ceil_div(rows_, kMostTasks), kDistanceRows));
  const std::int64_t padded = round_up(rows_, kDistanceRows);
  own_.assign(static_cast<std::size_t>(padded), kNotLandmark);
  for (std::int64_t m = 0; m < landmarks_; ++m) {
    own_[static_cast<std::size_t>(target.landmarks[m])] = static_cast<std::int32_t>(m);
  }
  landmark_shift_.clear();
  if (target.shift != nullptr) {
    landmark_shift_.assign(static_cast<std::size_t>(stride_), 0.0F);
    for (std::int64_t m = 0; m < landmarks_; ++m) {
      landmark_shift_[static_cast<std::size_t>(m)] = target.shift[target.landmarks[m]];
    }
  }
  block_maximum_.resize(static_cast<std::size_t>(padded / kDistanceRows));
  coefficient_sums_.resize(static_cast<std::size_t>(padded));
  input_distances_.get(padded * stride_);
  distances_.get(padded * stride_);
  const LandmarkValues landmarks = pack(target.input, target.dim, false);
  form_distances(input_distances_.data(), [&](const Block& block, float* distances) {
    return landmark_distances(target.metric, landmarks, target.input + block.first * target.dim,
                              block.rows, distances);
  });
}

LandmarkValues LandmarkPass::pack(const float* values, std::int64_t dim, bool for_gradient) {
  const std::int64_t pair_size = for_gradient ? pairs_of(dim) * landmarks_ * kPairWidth : 0;
  float* memory = packed_.get((dim + 1) * stride_ + pair_size);
  const LandmarkPacking to{.transposed = memory,
                           .sums = memory + dim * stride_,
                           .pairs = for_gradient ? memory + (dim + 1) * stride_ : nullptr,
                           .low_halves = low_halves_.get(pair_size)};
  return pack_landmarks(values, dim, target_.landmarks, landmarks_, stride_, to);
}

// form(block, distances): the distances of a block of rows, of which it returns the largest.
// Returns that of all and leaves each block's in block_maximum_.
template <class Form>
float LandmarkPass::form_distances(float* distances, const Form& form) {
  context_.pool.parallel_for(tasks(), [&](std::int64_t task, int) {
    for_blocks(task, [&](const Block& block) {
      float* of_block = distances + block.first * stride_;
      block_maximum_[static_cast<std::size_t>(block.first / kDistanceRows)] = form(block, of_block);
      for (std::int64_t r = 0; r < block.rows; ++r) {
        const std::int32_t own = own_[static_cast<std::size_t>(block.first + r)];
        if (own != kNotLandmark) of_block[r * stride_ + own] = 0.0F;
      }
    });
  });
  return *std::max_element(block_maximum_.begin(), block_maximum_.end());
}

float LandmarkPass::form_layer_distances(const LayerState& layer) {
  const LocalLossLayer& spec = layer.spec;
  return form_distances(distances_.data(), [&](const Block& block, float* distances) {
    if (layer.fixed) return levels_.distances(block.first, block.rows, distances);
    return landmark_distances(target_.metric, layer.landmarks, spec.output + block.first * spec.out,
                              block.rows, distances);
  });
}

// target: (block.rows, stride)
void LandmarkPass::form_target(const Block& block, const TargetScales& scales,
                               float* target) const {
  const float* distances = input_distances_.data() + block.first * stride_;
  std::copy_n(distances, block.rows * stride_, target);
  const bool guided = target_.shift != nullptr;
  target_tile({.rows = block.rows,
               .stride = stride_,
               .input_scale = static_cast<float>(scales.input_scale),
               .target_scale = static_cast<float>(scales.target_scale),
               .row_shift = guided ? target_.shift + block.first : nullptr,
               .column_shift = guided ? landmark_shift_.data() : nullptr,
               .distances = target});
}

float LandmarkPass::largest_target(const TargetScales& scales) {
  std::vector<float> task_maximum(static_cast<std::size_t>(tasks()), 0.0F);
  context_.pool.parallel_for(tasks(), [&](std::int64_t task, int) {
    alignas(kAlignment) float target[kDistanceRows * kMostLandmarks];
    float& largest = task_maximum[static_cast<std::size_t>(task)];
    for_blocks(task, [&](const Block& block) {
      form_target(block, scales, target);
      for (std::int64_t r = 0; r < block.rows; ++r) {
        const float* row = target + r * stride_;
        largest = std::max(largest, *std::max_element(row, row + landmarks_));
      }
    });
  });
  return *std::max_element(task_maximum.begin(), task_maximum.end());
}

void LandmarkPass::target_statistics(const TargetStatistics& op) {
  prepare(op.target);
  *op.scales = find_target_scales(
      op.target, [&] { return *std::max_element(block_maximum_.begin(), block_maximum_.end()); },
      [&](double input_scale) {
        return largest_target({input_scale, 1.0});
      });
}

void LandmarkPass::run(const LocalLoss& op) {
  // *op.scales is the result of target_statistics for this target: where that was the last op here,
  // the input's distances are still at hand.
  if (op.scales != scales_) prepare(op.target);
  scales_ = nullptr;
  for (std::int64_t l = 0; l < op.layer_count; ++l) run_layer(op, op.layers[l]);
}

void LandmarkPass::run_layer(const LocalLoss& op, const LocalLossLayer& spec) {
  const bool wants_gradient = spec.delta != nullptr;
  LayerState layer;
  layer.spec = spec;
  layer.weights = loss_weights(op.scale, op.target.dim, spec.out);
  layer.fixed = uses_levels(context_, op, spec);
  if (layer.fixed) {
    levels_.prepare(spec, rows_, target_.landmarks, landmarks_, stride_);
  } else {
    layer.landmarks = pack(spec.output, spec.out, wants_gradient);
  }
  layer.maximum = form_layer_distances(layer);
  form_errors(op, layer);
  const bool needs_maxima =
      wants_gradient && op.max_gradient == MaxGradient::kThrough && layer.maximum > 0.0F;
  if (needs_maxima && !layer.maxima.all_listed()) {
    // The share of so many needs the sums, and the distances are gone: once more.
    layer.maximum_coefficient =
        maximum_share(layer.sums, layer.maximum, layer.maxima.maxima_count());
    form_layer_distances(layer);
    form_errors(op, layer);
  }
  const auto rows = static_cast<double>(rows_);
  const double dropped = rows - static_cast<double>(landmarks_);
  *spec.statistics =
      loss_statistics(layer.sums, op.norm, layer.maximum, rows * rows - dropped * dropped);
  if (wants_gradient) write_gradient(op, layer);
}

// Distances → coefficients of the gradient, and the sums over all pairs.
void LandmarkPass::form_errors(const LocalLoss& op, LayerState& layer) {
  found_.assign(static_cast<std::size_t>(tasks()), {});
  context_.pool.parallel_for(tasks(), [&](std::int64_t task, int) {
    Found& found = found_[static_cast<std::size_t>(task)];
    for_blocks(task, [&](const Block& block) { form_block_errors(op, layer, block, found); });
  });
  layer.sums = {};
  layer.maxima = {};
  for (const Found& found : found_) {
    layer.sums.add(found.sums);
    layer.maxima.add(found.maxima);
  }
  const std::int64_t padded = round_up(rows_, kDistanceRows);
  std::fill(distances_.data() + rows_ * stride_, distances_.data() + padded * stride_, 0.0F);
}

void LandmarkPass::form_block_errors(const LocalLoss& op, const LayerState& layer,
                                     const Block& block, Found& found) {
  alignas(kAlignment) float target[kDistanceRows * kMostLandmarks];
  alignas(kAlignment) float column_sums[kMostLandmarks];
  float row_weights[kDistanceRows];
  float* distances = distances_.data() + block.first * stride_;
  if (layer.maximum > 0.0F &&
      NearMaxima::near(block_maximum_[static_cast<std::size_t>(block.first / kDistanceRows)],
                       layer.maximum)) {
    list_maxima(layer, block, found);
  }
  form_target(block, *op.scales, target);
  // A pair of landmarks stands in two rows, half in each. The diagonal has D = 0 and no direction.
  bool weighted = false;
  for (std::int64_t r = 0; r < block.rows; ++r) {
    const std::int32_t own = own_[static_cast<std::size_t>(block.first + r)];
    row_weights[r] = own == kNotLandmark ? 1.0F : 0.5F;
    if (own == kNotLandmark) continue;
    weighted = true;
    float& diagonal = target[r * stride_ + own];
    add_diagonal_entry(layer.weights, diagonal, found.sums);
    diagonal = 0.0F;
  }
  found.sums.add(error_tile(
      {.metric = op.target.metric,
       .rows = block.rows,
       .stride = stride_,
       .columns = landmarks_,
       .target_weight = static_cast<float>(layer.weights.target),
       .distance_weight = static_cast<float>(ratio_or_zero(layer.weights.output, layer.maximum)),
       .maximum = layer.maximum,
       .maximum_coefficient = static_cast<float>(layer.maximum_coefficient),
       .target = target,
       .distances = distances,
       .row_weights = weighted ? row_weights : nullptr,
       .coefficients = distances,
       .row_sums = coefficient_sums_.data() + block.first,
       .column_sums = column_sums}));
  for (std::int64_t m = 0; m < landmarks_; ++m) found.column_sums[m] += column_sums[m];
}

void LandmarkPass::list_maxima(const LayerState& layer, const Block& block, Found& found) const {
  const float* distances = distances_.data() + block.first * stride_;
  for (std::int64_t r = 0; r < block.rows; ++r) {
    const std::int64_t row = block.first + r;
    const std::int32_t own = own_[static_cast<std::size_t>(row)];
    const std::int64_t end = own == kNotLandmark ? landmarks_ : own;  // each pair once
    for (std::int64_t m = 0; m < end; ++m) {
      const float distance = distances[r * stride_ + m];
      if (!NearMaxima::near(distance, layer.maximum)) continue;
      found.maxima.note(distance, layer.maximum, {target_.landmarks[m], row});
    }
  }
}

void LandmarkPass::write_gradient(const LocalLoss& op, const LayerState& layer) {
  const LocalLossLayer& spec = layer.spec;
  const std::int64_t credit_size = pairs_of(spec.out) * landmarks_ * kPairWidth;
  float* credit = credit_.get(tasks() * credit_size);
  const double factor = gradient_factor(layer.sums, op.norm, layer.weights.output, layer.maximum);
  context_.pool.parallel_for(tasks(), [&](std::int64_t task, int) {
    const Block all = task_rows(task);
    std::fill_n(credit + task * credit_size, credit_size, 0.0F);
    const std::int64_t step = layer.fixed ? kLevelGradientRows : kGradientRows;
    for (std::int64_t r = 0; r < all.rows; r += step) {
      write_rows(op, layer, {all.first + r, std::min(step, all.rows - r)},
                 static_cast<float>(factor), credit + task * credit_size);
    }
  });
  const std::int64_t pair_size = landmarks_ * kPairWidth;
  context_.pool.parallel_for(pairs_of(spec.out), [&](std::int64_t pair, int) {
    for (std::int64_t task = 1; task < tasks(); ++task) {
      add_floats(credit + task * credit_size + pair * pair_size, pair_size,
                 credit + pair * pair_size);
    }
  });
  add_landmark_ends(op, layer, factor);
  if (op.max_gradient == MaxGradient::kThrough && layer.maximum_coefficient == 0.0) {
    add_listed_maxima(op, layer.spec, layer.maxima, layer.sums, layer.maximum, factor);
  }
}

// The deltas of some rows; their part of the landmarks' gradient is added to credit.
void LandmarkPass::write_rows(const LocalLoss& op, const LayerState& layer, const Block& block,
                              float factor, float* credit) const {
  const LocalLossLayer& spec = layer.spec;
  const float* values = spec.output + block.first * spec.out;
  const float* coefficients = distances_.data() + block.first * stride_;
  const float* coefficient_sums = coefficient_sums_.data() + block.first;
  float* delta = spec.delta + block.first * spec.out;
  if (layer.fixed) {
    LandmarkLevelGradient gradient = levels_.gradient(block.first, block.rows);
    gradient.coefficients = coefficients;
    gradient.coefficient_sums = coefficient_sums;
    gradient.factor = factor;
    gradient.through_activation = spec.delta_through_activation;
    gradient.delta = delta;
    gradient.streamed = rows_ * spec.out * static_cast<std::int64_t>(sizeof(float)) > kCached;
    gradient.landmark_credit = credit;
    landmark_level_gradient(gradient);
    return;
  }
  landmark_gradient({.metric = op.target.metric,
                     .landmarks = layer.landmarks,
                     .rows = block.rows,
                     .values = values,
                     .own = own_.data() + block.first,
                     .coefficients = coefficients,
                     .coefficient_sums = coefficient_sums,
                     .factor = factor,
                     .activation = delta_activation(spec),
                     .delta = delta,
                     .landmark_credit = credit});
}

// The landmarks' end of all pairs, of which the credits of all tasks lie in the first one's place.
void LandmarkPass::add_landmark_ends(const LocalLoss& op, const LayerState& layer, double factor) {
  const bool l1 = op.target.metric == Metric::kL1;
  const LocalLossLayer& spec = layer.spec;
  std::vector<float> gradient(static_cast<std::size_t>(pairs_of(spec.out) * kPairWidth));
  for (std::int64_t m = 0; m < landmarks_; ++m) {
    double column_sum = 0.0;
    for (const Found& found : found_) column_sum += found.column_sums[m];
    const auto scale = static_cast<float>(l1 ? 2.0 * factor : factor);
    const auto offset = static_cast<float>(l1 ? factor * column_sum : 0.0);
    const float* credit = credit_.data() + m * kPairWidth;
    for (std::int64_t pair = 0; pair < pairs_of(spec.out); ++pair) {
      float* to = gradient.data() + pair * kPairWidth;
      for (std::int64_t k = 0; k < kPairWidth; ++k) to[k] = scale * credit[k] + offset;
      credit += landmarks_ * kPairWidth;
    }
    const std::int64_t row = target_.landmarks[m] * spec.out;
    scale_by_activation_gradient(delta_activation(spec), 1.0F, spec.output + row, spec.out,
                                 gradient.data());
    for (std::int64_t d = 0; d < spec.out; ++d) {
      spec.delta[row + d] += gradient[static_cast<std::size_t>(d)];
    }
  }
}

}  // namespace lpdm::cpu
