#include "cpu/landmark_levels.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "cpu/landmark_tile.h"

namespace lpdm::cpu {

static_assert(kPairWidth == kLevelPanelWidth);  // LandmarkPass holds the credits of both

LandmarkLevels::LandmarkLevels(Context& context)
    : row_levels_(context.memory),
      landmark_words_(context.memory),
      landmark_sums_(context.memory),
      panels_(context.memory) {}

void LandmarkLevels::prepare(const LocalLossLayer& layer, std::int64_t rows,
                             const std::int64_t* index, std::int64_t count, std::int64_t stride) {
  output_ = layer.output;
  dim_ = layer.out;
  pitch_ = level_panels_of(dim_) * kLevelPanelWidth;
  count_ = count;
  stride_ = stride;
  // Blocks of rows may begin anywhere and are read as a whole.
  const std::int64_t padded = rows + kLevelGradientRows;
  std::int16_t* levels = row_levels_.get(padded * pitch_);
  std::fill(levels + rows * pitch_, levels + padded * pitch_, std::int16_t{0});
  pack_landmarks(index);
}

void LandmarkLevels::pack_landmarks(const std::int64_t* index) {
  const std::int64_t words = level_words_of(dim_);
  std::int32_t* transposed = landmark_words_.get(words * stride_);
  std::int32_t* sums = landmark_sums_.get(stride_);
  std::int16_t* panels = panels_.get(pitch_ * count_);
  std::fill_n(transposed, words * stride_, 0);
  std::fill_n(sums, stride_, 0);
  finite_landmarks_ = true;
  for (std::int64_t m = 0; m < count_; ++m) {
    std::int16_t* row = row_levels_.data() + index[m] * pitch_;
    finite_landmarks_ &= to_levels(output_ + index[m] * dim_, 1, dim_, pitch_, row, sums + m);
    for (std::int64_t w = 0; w < words; ++w) {
      std::memcpy(transposed + w * stride_ + m, row + 2 * w, sizeof(*transposed));
    }
    for (std::int64_t d = 0; d < pitch_; d += kLevelPanelWidth) {
      std::copy_n(row + d, kLevelPanelWidth, panels + d * count_ + m * kLevelPanelWidth);
    }
  }
}

float LandmarkLevels::distances(std::int64_t first, std::int64_t count, float* distances) {
  std::int16_t* levels = row_levels_.data() + first * pitch_;
  std::int32_t sums[kDistanceRows];
  const bool finite =
      to_levels(output_ + first * dim_, count, dim_, pitch_, levels, sums) && finite_landmarks_;
  landmark_level_distances({.words = level_words_of(dim_),
                            .step = finite ? kLevelStep : std::numeric_limits<float>::quiet_NaN(),
                            .rows = count,
                            .pitch = pitch_,
                            .levels = levels,
                            .row_sums = sums,
                            .stride = stride_,
                            .landmark_words = landmark_words_.data(),
                            .landmark_sums = landmark_sums_.data(),
                            .distances = distances});
  return tile_maximum(distances, count, count_, stride_);
}

LandmarkLevelGradient LandmarkLevels::gradient(std::int64_t first, std::int64_t count) const {
  return {.rows = count,
          .dim = dim_,
          .pitch = pitch_,
          .levels = row_levels_.data() + first * pitch_,
          .landmarks = count_,
          .landmark_levels = panels_.data(),
          .stride = stride_};
}

}  // namespace lpdm::cpu
