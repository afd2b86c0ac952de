#include "cpu/landmarks/landmark_floats.h"

#include <algorithm>
#include <bit>

#include "cpu/common/activation.h"

namespace lpdm::cpu {

LandmarkFloats::LandmarkFloats(Context& context, const LandmarkSet& set)
    : set_(set),
      columns_(context.memory),
      renewed_columns_(context.memory),
      pairs_(context.memory),
      low_halves_(context.memory) {}

void LandmarkFloats::prepare(const LocalLossLayer& layer, Metric metric) {
  layer_ = layer;
  metric_ = metric;
  const std::int64_t dim = layer.out;
  const std::int64_t pairs = layer.delta == nullptr ? 0 : pairs_of(dim) * set_.count() * kPairWidth;
  renewed_ = {.dim = dim,
              .origin = layer.output,
              .transposed = renewed_columns_.transposed.get(dim * set_.stride()),
              .sums = renewed_columns_.sums.get(set_.stride())};
  renewed_index_.reserve(static_cast<std::size_t>(set_.count()));
  landmarks_ = {.count = set_.count(),
                .stride = set_.stride(),
                .dim = dim,
                .origin = layer.output,
                .transposed = columns_.transposed.get(dim * set_.stride()),
                .sums = columns_.sums.get(set_.stride()),
                .pairs = pairs_.get(pairs),
                .low_halves = low_halves_.get(pairs)};
}

void LandmarkFloats::pack(std::int64_t part) {
  for (std::int64_t m = part * kLandmarkLanes; m < (part + 1) * kLandmarkLanes; ++m) {
    write_column(columns_, set_.stride(), m, m);
    if (layer_.delta != nullptr && m < set_.count()) pack_pairs(m);
  }
}

void LandmarkFloats::renew(std::span<const std::int32_t> landmarks) {
  renewed_index_.assign(landmarks.begin(), landmarks.end());
  renewed_.count = static_cast<std::int64_t>(landmarks.size());
  renewed_.stride = pad_landmarks(renewed_.count);
  for (std::int64_t k = 0; k < renewed_.count; ++k) {
    const std::int64_t m = landmarks[static_cast<std::size_t>(k)];
    write_column(columns_, set_.stride(), m, m);
    write_column(renewed_columns_, renewed_.stride, k, m);
    if (layer_.delta != nullptr) pack_pairs(m);
  }
  for (std::int64_t m = set_.count(); m < set_.stride(); ++m) {
    write_column(columns_, set_.stride(), m, m);
  }
  for (std::int64_t k = renewed_.count; k < renewed_.stride; ++k) {
    write_column(renewed_columns_, renewed_.stride, k, set_.count());
  }
}

// Landmark m, or zeros beyond the last one.
void LandmarkFloats::write_column(const Columns& columns, std::int64_t stride, std::int64_t column,
                                  std::int64_t m) const {
  const std::int64_t dim = landmarks_.dim;
  float* to = columns.transposed.data() + column;
  if (m < set_.count()) {
    columns.sums.data()[column] = transpose_landmark(layer_.output + set_.index()[m] * dim,
                                                     landmarks_.origin, dim, stride, to);
    return;
  }
  columns.sums.data()[column] = 0.0F;
  for (std::int64_t d = 0; d < dim; ++d) to[d * stride] = 0.0F;
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

void LandmarkFloats::distances(const RowRange& block, float* distances) {
  for (std::int64_t r = 0; r < block.rows; r += kDistanceRows) {
    landmark_distances(metric_, landmarks_, layer_.output + (block.first + r) * layer_.out,
                       std::min(kDistanceRows, block.rows - r), distances + r * set_.stride());
  }
}

void LandmarkFloats::renew_distances(const RowRange& block, float* distances) const {
  alignas(kAlignment) float renewed[kDistanceRows * kMostLandmarks];
  for (std::int64_t r = 0; r < block.rows; r += kDistanceRows) {
    const std::int64_t rows = std::min(kDistanceRows, block.rows - r);
    landmark_distances(metric_, renewed_, layer_.output + (block.first + r) * layer_.out, rows,
                       renewed);
    put_columns(renewed, renewed_.stride, rows, renewed_index_, set_.stride(),
                distances + r * set_.stride());
  }
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
