#include "cpu/landmark_floats.h"

#include <algorithm>
#include <bit>

#include "cpu/activation.h"

namespace lpdm::cpu {

LandmarkFloats::LandmarkFloats(Context& context, const LandmarkSet& set)
    : set_(set),
      transposed_(context.memory),
      sums_(context.memory),
      pairs_(context.memory),
      low_halves_(context.memory) {}

void LandmarkFloats::prepare(const LocalLossLayer& layer, Metric metric) {
  layer_ = layer;
  metric_ = metric;
  const std::int64_t dim = layer.out;
  const std::int64_t pairs = layer.delta == nullptr ? 0 : pairs_of(dim) * set_.count() * kPairWidth;
  landmarks_ = {.count = set_.count(),
                .stride = set_.stride(),
                .dim = dim,
                .origin = layer.output + set_.index()[0] * dim,
                .transposed = transposed_.get(dim * set_.stride()),
                .sums = sums_.get(set_.stride()),
                .pairs = pairs_.get(pairs),
                .low_halves = low_halves_.get(pairs)};
}

void LandmarkFloats::pack(std::int64_t part) {
  const std::int64_t dim = landmarks_.dim;
  for (std::int64_t m = part * kLandmarkLanes; m < (part + 1) * kLandmarkLanes; ++m) {
    if (m < set_.count()) {
      sums_.data()[m] = transpose_landmark(layer_.output + set_.index()[m] * dim, landmarks_.origin,
                                           dim, set_.stride(), transposed_.data() + m);
      if (layer_.delta != nullptr) pack_pairs(m);
    } else {
      sums_.data()[m] = 0.0F;
      for (std::int64_t d = 0; d < dim; ++d) transposed_.data()[d * set_.stride() + m] = 0.0F;
    }
  }
}

// A landmark's pairs of panels, and their lower halves.
void LandmarkFloats::pack_pairs(std::int64_t m) {
  constexpr float kPadding = 1.0F + 0x1p-23F;  // its lower half is not 0 either
  const std::int64_t dim = landmarks_.dim;
  const float* row = layer_.output + set_.index()[m] * dim;
  for (std::int64_t p = 0; p < pairs_of(dim); ++p) {
    float* pair = pairs_.data() + (p * set_.count() + m) * kPairWidth;
    std::uint16_t* low_halves = low_halves_.data() + (p * set_.count() + m) * kPairWidth;
    const std::int64_t d = p * kPairWidth;
    std::fill_n(pair, kPairWidth, kPadding);
    std::copy_n(row + d, std::min(kPairWidth, dim - d), pair);
    for (std::int64_t k = 0; k < kPairWidth; ++k) {
      const float value = pair[k % 2 * kPanelWidth + k / 2];
      low_halves[k] = static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(value));
    }
  }
}

float LandmarkFloats::distances(const RowRange& block, float* distances) {
  float largest = 0.0F;
  for (std::int64_t r = 0; r < block.rows; r += kDistanceRows) {
    float* of_rows = distances + r * set_.stride();
    const std::int64_t rows = std::min(kDistanceRows, block.rows - r);
    largest =
        std::max(largest, landmark_distances(metric_, landmarks_,
                                             layer_.output + (block.first + r) * landmarks_.dim,
                                             rows, of_rows));
  }
  const std::int32_t* own = set_.own(block.first);
  for (std::int64_t r = 0; r < block.rows; ++r) {
    if (own[r] != kNotLandmark) distances[r * set_.stride() + own[r]] = 0.0F;
  }
  return largest;
}

void LandmarkFloats::gradient(const LandmarkPanel& panel) const {
  const std::int64_t first = panel.rows.first;
  landmark_gradient({.metric = metric_,
                     .landmarks = landmarks_,
                     .pair = panel.panel,
                     .rows = panel.rows.rows,
                     .values = layer_.output + first * layer_.out,
                     .own = set_.own(first),
                     .coefficients = panel.coefficients + first * set_.stride(),
                     .coefficient_sums = panel.coefficient_sums + first,
                     .factor = panel.factor,
                     .activation = delta_activation(layer_),
                     .delta = layer_.delta + first * layer_.out,
                     .landmark_credit = panel.landmark_credit});
}

}  // namespace lpdm::cpu
