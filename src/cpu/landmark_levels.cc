#include "cpu/landmark_levels.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "cpu/landmark_level_gradient.h"
#include "cpu/level_distance.h"
#include "cpu/levels.h"

namespace lpdm::cpu {

namespace {

constexpr std::int64_t kCached = std::int64_t{8} << 20;  // [bytes] that a core may well have cached

}  // namespace

static_assert(kPairWidth == kLevelPanelWidth);  // of LandmarkPanel

LandmarkLevels::LandmarkLevels(Context& context, const LandmarkSet& set)
    : set_(set),
      levels_(context.memory),
      landmark_words_(context.memory),
      landmark_sums_(context.memory),
      panels_(context.memory) {}

void LandmarkLevels::prepare(const LocalLossLayer& layer) {
  layer_ = layer;
  pitch_ = level_panels_of(layer.out) * kLevelPanelWidth;
  streamed_ = set_.rows() * layer.out * static_cast<std::int64_t>(sizeof(float)) > kCached;
  finite_landmarks_ = true;
  units_.resize(static_cast<std::size_t>(set_.blocks()));
  levels_.get(set_.padded_rows() * pitch_);  // beyond the rows anything will do
  landmark_words_.get(level_words_of(layer.out) * set_.stride());
  landmark_sums_.get(set_.stride());
  panels_.get(pitch_ * set_.count());
}

void LandmarkLevels::pack(std::int64_t part) {
  const std::int64_t first = part * kLandmarkLanes;
  const std::int64_t count = std::min(kLandmarkLanes, set_.count() - first);
  const std::int16_t* levels[kLandmarkLanes];
  for (std::int64_t k = 0; k < count; ++k) levels[k] = pack_landmark(first + k);
  // Word by word, so that whole lines of the cache are written.
  std::int32_t* words = landmark_words_.data() + first;
  for (std::int64_t w = 0; w < level_words_of(layer_.out); ++w, words += set_.stride()) {
    for (std::int64_t k = 0; k < count; ++k) {
      std::memcpy(words + k, levels[k] + 2 * w, sizeof(*words));
    }
    std::fill(words + count, words + kLandmarkLanes, 0);
  }
  std::fill_n(landmark_sums_.data() + first + count, kLandmarkLanes - count, 0);
}

// The levels of landmark m and their sum, and its place in the panels.
const std::int16_t* LandmarkLevels::pack_landmark(std::int64_t m) {
  const std::int64_t row = set_.index()[m];
  std::int16_t* levels = levels_.data() + row * pitch_;
  if (!to_levels(layer_.output + row * layer_.out, 1, layer_.out, pitch_, levels,
                 landmark_sums_.data() + m)) {
    finite_landmarks_ = false;
  }
  for (std::int64_t d = 0; d < pitch_; d += kLevelPanelWidth) {
    std::copy_n(levels + d, kLevelPanelWidth,
                panels_.data() + d * set_.count() + m * kLevelPanelWidth);
  }
  return levels;
}

float LandmarkLevels::distances(const RowRange& block, float* distances) {
  float largest = 0.0F;
  for (std::int64_t r = 0; r < block.rows; r += kDistanceRows) {
    const std::int64_t first = block.first + r;
    const std::int64_t rows = std::min(kDistanceRows, block.rows - r);
    float* of_rows = distances + r * set_.stride();
    std::int16_t* levels = levels_.data() + first * pitch_;
    std::int32_t sums[kDistanceRows];
    const bool finite =
        to_levels(layer_.output + first * layer_.out, rows, layer_.out, pitch_, levels, sums) &&
        finite_landmarks_;
    landmark_level_distances({.words = level_words_of(layer_.out),
                              .step = finite ? kLevelStep : std::numeric_limits<float>::quiet_NaN(),
                              .rows = rows,
                              .pitch = pitch_,
                              .levels = levels,
                              .row_sums = sums,
                              .stride = set_.stride(),
                              .landmark_words = landmark_words_.data(),
                              .landmark_sums = landmark_sums_.data(),
                              .distances = of_rows});
    largest = std::max(largest, tile_maximum(of_rows, rows, set_.count(), set_.stride()));
  }
  return largest;
}

void LandmarkLevels::take_coefficients(const RowRange& block, const float* sums,
                                       float* coefficients) {
  units_[static_cast<std::size_t>(block.first / kLandmarkBlock)] =
      round_landmark_coefficients(block.rows, set_.stride(), sums, coefficients);
}

void LandmarkLevels::gradient(const LandmarkPanel& panel) const {
  std::fill_n(panel.landmark_credit, set_.count() * kPairWidth, 0.0F);
  const std::int64_t d = panel.panel * kPairWidth;
  for (std::int64_t r = 0; r < panel.rows.rows; r += kLandmarkBlock) {
    const std::int64_t first = panel.rows.first + r;
    landmark_level_gradient({.rows = std::min(kLandmarkBlock, panel.rows.rows - r),
                             .levels = levels_.data() + first * pitch_ + d,
                             .pitch = pitch_,
                             .landmarks = set_.count(),
                             .landmark_levels = panels_.data() + d * set_.count(),
                             .stride = set_.stride(),
                             .coefficients = panel.coefficients + first * set_.stride(),
                             .unit = units_[static_cast<std::size_t>(first / kLandmarkBlock)],
                             .coefficient_sums = panel.coefficient_sums + first,
                             .factor = panel.factor,
                             .through_activation = layer_.delta_through_activation,
                             .dims = std::min(kPairWidth, layer_.out - d),
                             .delta = layer_.delta + first * layer_.out + d,
                             .delta_pitch = layer_.out,
                             .streamed = streamed_,
                             .landmark_credit = panel.landmark_credit});
  }
}

}  // namespace lpdm::cpu
