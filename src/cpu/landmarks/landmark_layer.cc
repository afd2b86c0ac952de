#include "cpu/landmarks/landmark_layer.h"

#include <algorithm>

#include "cpu/common/activation.h"
#include "cpu/landmarks/landmark_end.h"
#include "cpu/landmarks/landmark_error.h"
#include "cpu/pairs/levels.h"

namespace lpdm::cpu {

LandmarkLayer::LandmarkLayer(Context& context, const LandmarkSet& set, const LandmarkTarget& target)
    : context_(context),
      set_(set),
      target_(target),
      floats_(context, set),
      levels_(context, set),
      distances_(context, set),
      credit_(context.memory) {}

void LandmarkLayer::prepare(const LocalLoss& op, const LocalLossLayer& spec) {
  if (uses_levels(context_, op, spec)) {
    levels_.prepare(spec);
    distances_.prepare(levels_);
  } else {
    floats_.prepare(spec, op.target.metric);
    distances_.prepare(floats_);
  }
}

void LandmarkLayer::begin(const LocalLoss& op, const LocalLossLayer& spec) {
  op_ = &op;
  spec_ = spec;
  weights_ = loss_weights(op.scale, op.target.dim, spec.out);
  maximum_ = distances_.maximum();
  maximum_coefficient_ = 0.0;
  const auto blocks = static_cast<std::size_t>(set_.blocks());
  found_.resize(blocks);
  column_sums_.resize(blocks * static_cast<std::size_t>(set_.stride()));
  coefficient_sums_.resize(static_cast<std::size_t>(set_.padded_rows()));
  credit_.get(set_.chunks() * panels() * panel_size());
}

void LandmarkLayer::form_errors(std::int64_t block) {
  const RowRange rows = set_.block(block);
  const std::int64_t stride = set_.stride();
  float* distances = distances_.from(rows.first);
  float* row_sums = coefficient_sums_.data() + rows.first;
  Found& found = found_[static_cast<std::size_t>(block)];
  found = {};
  if (maximum_ > 0.0F && NearMaxima::near(distances_.maximum(block), maximum_)) {
    list_maxima(rows, distances, found.maxima);
  }
  found.sums = landmark_errors(
      {.metric = op_->target.metric,
       .rows = rows.rows,
       .landmarks = set_.count(),
       .stride = stride,
       .own = set_.own(rows.first),
       .input_scale = static_cast<float>(op_->scales->input_scale),
       .target_scale = static_cast<float>(op_->scales->target_scale),
       .row_shift = target_.row_shift(rows.first),
       .landmark_shift = target_.landmark_shift(),
       .target_weight = static_cast<float>(weights_.target),
       .distance_weight = static_cast<float>(ratio_or_zero(weights_.output, maximum_)),
       .maximum = maximum_,
       .maximum_coefficient = static_cast<float>(maximum_coefficient_),
       .input_distances = target_.distances(rows.first),
       .distances = distances,
       .row_sums = row_sums,
       .column_sums = column_sums_.data() + block * stride});
  add_diagonal(rows, found.sums);
  std::fill(distances + rows.rows * stride,
            distances + ceil_div(rows.rows, kLandmarkStep) * kLandmarkStep * stride, 0.0F);
  if (spec_.delta != nullptr) distances_.rows().take_coefficients(rows, row_sums, distances);
}

void LandmarkLayer::list_maxima(const RowRange& rows, const float* distances,
                                NearMaxima& maxima) const {
  const std::int32_t* own = set_.own(rows.first);
  for (std::int64_t r = 0; r < rows.rows; ++r) {
    const std::int64_t end = own[r] == kNotLandmark ? set_.count() : own[r];  // each pair once
    const float* of_row = distances + r * set_.stride();
    if (!NearMaxima::near(tile_maximum(of_row, 1, end, set_.stride()), maximum_)) continue;
    for (std::int64_t m = 0; m < end; ++m) {
      const float distance = of_row[m];
      if (!NearMaxima::near(distance, maximum_)) continue;
      maxima.note(distance, maximum_, {set_.index()[m], rows.first + r});
    }
  }
}

void LandmarkLayer::add_diagonal(const RowRange& rows, PairSums& sums) const {
  const std::int32_t* own = set_.own(rows.first);
  for (std::int64_t r = 0; r < rows.rows; ++r) {
    if (own[r] == kNotLandmark) continue;
    add_diagonal_entry(weights_, target_.own_target(rows.first + r, *op_->scales), sums);
  }
}

bool LandmarkLayer::settle() {
  sums_ = {};
  maxima_ = {};
  for (const Found& found : found_) {
    sums_.add(found.sums);
    maxima_.add(found.maxima);
  }
  const bool needs_maxima =
      spec_.delta != nullptr && op_->max_gradient == MaxGradient::kThrough && maximum_ > 0.0F;
  if (needs_maxima && maximum_coefficient_ == 0.0 && !maxima_.all_listed()) {
    // The share of so many needs the sums.
    maximum_coefficient_ = maximum_share(sums_, maximum_, maxima_.maxima_count());
    return false;
  }
  find_factor();
  return true;
}

void LandmarkLayer::find_factor() {
  factor_ = gradient_factor(sums_, op_->norm, weights_.output, maximum_);
  const auto stride = static_cast<std::size_t>(set_.stride());
  offsets_.assign(stride, 0.0F);
  if (op_->target.metric != Metric::kL1) return;
  std::vector<double> sums(stride, 0.0);
  for (std::size_t at = 0; at < column_sums_.size(); at += stride) {
    for (std::size_t m = 0; m < stride; ++m) sums[m] += column_sums_[at + m];
  }
  for (std::size_t m = 0; m < stride; ++m) offsets_[m] = static_cast<float>(factor_ * sums[m]);
}

void LandmarkLayer::write_gradient(std::int64_t chunk, std::int64_t panel) {
  distances_.rows().gradient(
      {.panel = panel,
       .rows = set_.chunk(chunk),
       .coefficients = distances_.from(0),
       .coefficient_sums = coefficient_sums_.data(),
       .factor = static_cast<float>(factor_),
       .landmark_credit = credit_.data() + (chunk * panels() + panel) * panel_size()});
}

void LandmarkLayer::add_landmark_end(std::int64_t panel) const {
  const std::int64_t d = panel * kPairWidth;
  const bool l1 = op_->target.metric == Metric::kL1;
  cpu::add_landmark_end({.landmarks = set_.count(),
                         .index = set_.index(),
                         .chunks = set_.chunks(),
                         .credit = credit_.data() + panel * panel_size(),
                         .chunk_pitch = panels() * panel_size(),
                         .scale = static_cast<float>(l1 ? 2.0 * factor_ : factor_),
                         .offsets = offsets_.data(),
                         .activation = delta_activation(spec_),
                         .dims = std::min(kPairWidth, spec_.out - d),
                         .pitch = spec_.out,
                         .values = spec_.output + d,
                         .delta = spec_.delta + d});
}

void LandmarkLayer::finish() const {
  const auto rows = static_cast<double>(set_.rows());
  const double dropped = rows - static_cast<double>(set_.count());
  *spec_.statistics = loss_statistics(sums_, op_->norm, maximum_, rows * rows - dropped * dropped);
  if (spec_.delta == nullptr || op_->max_gradient != MaxGradient::kThrough) return;
  if (maximum_coefficient_ == 0.0) {
    add_listed_maxima(*op_, spec_, maxima_, sums_, maximum_, factor_);
  }
}

}  // namespace lpdm::cpu
