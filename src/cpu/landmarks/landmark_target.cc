#include "cpu/landmarks/landmark_target.h"

#include <algorithm>

#include "cpu/ops/target_statistics.h"
#include "cpu/pairs/pairwise_error.h"

namespace lpdm::cpu {

LandmarkTarget::LandmarkTarget(Context& context, const LandmarkSet& set)
    : context_(context), set_(set), input_(context, set), distances_(context, set) {}

void LandmarkTarget::prepare(const PairwiseTarget& target) {
  input_.prepare({.out = target.dim, .output = target.input}, target.metric);
  distances_.prepare(input_);
}

TargetScales LandmarkTarget::find_scales(const PairwiseTarget& target) {
  target_ = target;
  landmark_shift_.assign(target.shift == nullptr ? 0 : static_cast<std::size_t>(set_.stride()),
                         0.0F);
  for (std::int64_t m = 0; target.shift != nullptr && m < set_.count(); ++m) {
    landmark_shift_[static_cast<std::size_t>(m)] = target.shift[set_.index()[m]];
  }
  return find_target_scales(
      target_, [&] { return distances_.maximum(); },
      [&](double input_scale) { return largest_target(input_scale); });
}

float LandmarkTarget::own_target(std::int64_t row, const TargetScales& scales) const {
  return target_.shift == nullptr
             ? 0.0F
             : static_cast<float>(2.0 * target_.shift[row] * scales.target_scale);
}

float LandmarkTarget::largest_target(double input_scale) const {
  std::vector<float> block_maximum(static_cast<std::size_t>(set_.blocks()));
  context_.pool.parallel_for(set_.blocks(), [&](std::int64_t block, int) {
    block_maximum[static_cast<std::size_t>(block)] = largest_target(set_.block(block), input_scale);
  });
  return *std::ranges::max_element(block_maximum);
}

float LandmarkTarget::largest_target(const RowRange& rows, double input_scale) const {
  alignas(kAlignment) float target[kDistanceRows * kMostLandmarks];
  float largest = 0.0F;
  for (std::int64_t r = 0; r < rows.rows; r += kDistanceRows) {
    const std::int64_t first = rows.first + r;
    const std::int64_t count = std::min(kDistanceRows, rows.rows - r);
    std::copy_n(distances(first), count * set_.stride(), target);
    target_tile({.rows = count,
                 .stride = set_.stride(),
                 .input_scale = static_cast<float>(input_scale),
                 .row_shift = row_shift(first),
                 .column_shift = landmark_shift(),
                 .distances = target});
    largest = std::max(largest, tile_maximum(target, count, set_.count(), set_.stride()));
  }
  return largest;
}

}  // namespace lpdm::cpu
