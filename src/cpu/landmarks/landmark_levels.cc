#include "cpu/landmarks/landmark_levels.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "cpu/landmarks/landmark_level_gradient.h"
#include "cpu/pairs/level_distance.h"
#include "cpu/pairs/levels.h"

namespace lpdm::cpu {

namespace {

constexpr std::int64_t kCached = std::int64_t{8} << 20;  // [bytes] that a core may well have cached

}  // namespace

static_assert(kPairWidth == kLevelPanelWidth);  // of LandmarkPanel

LandmarkLevels::LandmarkLevels(Context& context, const LandmarkSet& set)
    : set_(set),
      levels_(context.memory),
      sums_(context.memory),
      words_(context.memory),
      renewed_words_(context.memory),
      panels_(context.memory) {}

void LandmarkLevels::prepare(const LocalLossLayer& layer) {
  layer_ = layer;
  pitch_ = level_panels_of(layer.out) * kLevelPanelWidth;
  streamed_ = set_.rows() * layer.out * static_cast<std::int64_t>(sizeof(float)) > kCached;
  finite_landmarks_ = true;
  finite_.resize(static_cast<std::size_t>(set_.padded_rows() / kDistanceRows));
  units_.resize(static_cast<std::size_t>(set_.blocks()));
  renewed_.reserve(static_cast<std::size_t>(set_.count()));
  levels_.get(set_.padded_rows() * pitch_);  // beyond the rows anything will do
  sums_.get(set_.padded_rows());
  for (Words* words : {&words_, &renewed_words_}) {
    words->stride = set_.stride();
    words->levels.get(level_words_of(layer.out) * set_.stride());
    words->sums.get(set_.stride());
  }
  panels_.get(pitch_ * set_.count());
}

void LandmarkLevels::pack(std::int64_t part) {
  const std::int64_t first = part * kLandmarkLanes;
  const std::int64_t count = std::min(kLandmarkLanes, set_.count() - first);
  const std::int16_t* levels[kLandmarkLanes];
  for (std::int64_t k = 0; k < count; ++k) {
    levels[k] = pack_landmark(first + k, words_.sums.data() + first + k);
  }
  write_words(words_, first, count, first + kLandmarkLanes, levels);
}

void LandmarkLevels::renew(std::span<const std::int32_t> landmarks) {
  renewed_.assign(landmarks.begin(), landmarks.end());
  const auto count = static_cast<std::int64_t>(landmarks.size());
  renewed_words_.stride = pad_landmarks(count);
  for (std::int64_t first = 0; first < count; first += kLandmarkLanes) {
    const std::int64_t here = std::min(kLandmarkLanes, count - first);
    const std::int16_t* levels[kLandmarkLanes];
    for (std::int64_t k = 0; k < here; ++k) {
      const std::int64_t m = landmarks[static_cast<std::size_t>(first + k)];
      std::int32_t* sum = words_.sums.data() + m;
      levels[k] = pack_landmark(m, sum);
      renewed_words_.sums.data()[first + k] = *sum;
      write_words(words_, m, 1, m + 1, levels + k);
    }
    write_words(renewed_words_, first, here, first + kLandmarkLanes, levels);
  }
  write_words(words_, set_.count(), 0, set_.stride(), nullptr);
}

// The levels of landmark m and their sum, and its place in the panels.
const std::int16_t* LandmarkLevels::pack_landmark(std::int64_t m, std::int32_t* sum) {
  const std::int64_t row = set_.index()[m];
  std::int16_t* levels = levels_.data() + row * pitch_;
  if (!to_levels(layer_.output + row * layer_.out, 1, layer_.out, pitch_, levels, sum)) {
    finite_landmarks_ = false;
  }
  for (std::int64_t d = 0; d < pitch_; d += kLevelPanelWidth) {
    std::copy_n(levels + d, kLevelPanelWidth,
                panels_.data() + d * set_.count() + m * kLevelPanelWidth);
  }
  return levels;
}

// Columns [first, first + count) from levels, then zeros up to `end`. Word by word, so that whole
// lines of the cache are written.
void LandmarkLevels::write_words(Words& words, std::int64_t first, std::int64_t count,
                                 std::int64_t end, const std::int16_t* const* levels) const {
  std::int32_t* to = words.levels.data() + first;
  for (std::int64_t w = 0; w < level_words_of(layer_.out); ++w, to += words.stride) {
    for (std::int64_t k = 0; k < count; ++k) std::memcpy(to + k, levels[k] + 2 * w, sizeof(*to));
    std::fill(to + count, to + (end - first), 0);
  }
  std::fill(words.sums.data() + first + count, words.sums.data() + end, 0);
}

void LandmarkLevels::distances(const RowRange& block, float* distances) {
  for (std::int64_t r = 0; r < block.rows; r += kDistanceRows) {
    const RowRange rows{block.first + r, std::min(kDistanceRows, block.rows - r)};
    finite_[static_cast<std::size_t>(rows.first / kDistanceRows)] =
        to_levels(layer_.output + rows.first * layer_.out, rows.rows, layer_.out, pitch_,
                  levels_.data() + rows.first * pitch_, sums_.data() + rows.first)
            ? 1
            : 0;
    distances_to(words_, rows, distances + r * set_.stride());
  }
}

void LandmarkLevels::renew_distances(const RowRange& block, float* distances) const {
  alignas(kAlignment) float renewed[kDistanceRows * kMostLandmarks];
  for (std::int64_t r = 0; r < block.rows; r += kDistanceRows) {
    const RowRange rows{block.first + r, std::min(kDistanceRows, block.rows - r)};
    distances_to(renewed_words_, rows, renewed);
    put_columns(renewed, renewed_words_.stride, rows.rows, renewed_, set_.stride(),
                distances + r * set_.stride());
  }
}

// Up to kDistanceRows rows.
void LandmarkLevels::distances_to(const Words& words, const RowRange& rows,
                                  float* distances) const {
  const bool finite =
      finite_[static_cast<std::size_t>(rows.first / kDistanceRows)] != 0 && finite_landmarks_;
  landmark_level_distances({.words = level_words_of(layer_.out),
                            .step = finite ? kLevelStep : std::numeric_limits<float>::quiet_NaN(),
                            .rows = rows.rows,
                            .pitch = pitch_,
                            .levels = levels_.data() + rows.first * pitch_,
                            .row_sums = sums_.data() + rows.first,
                            .stride = words.stride,
                            .landmark_words = words.levels.data(),
                            .landmark_sums = words.sums.data(),
                            .distances = distances});
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
