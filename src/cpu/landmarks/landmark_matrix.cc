#include "cpu/landmarks/landmark_matrix.h"

#include <algorithm>

#include "cpu/pairs/pairwise_tile.h"

namespace lpdm::cpu {

LandmarkMatrix::LandmarkMatrix(Context& context, const LandmarkSet& set)
    : set_(set), distances_(context.memory) {}

void LandmarkMatrix::prepare(LandmarkRows& rows) {
  rows_ = &rows;
  maximum_.resize(static_cast<std::size_t>(set_.blocks()));
  distances_.get(set_.padded_rows() * set_.stride());
}

void LandmarkMatrix::close(std::int64_t block) {
  const RowRange rows = set_.block(block);
  const std::int32_t* own = set_.own(rows.first);
  float* distances = of(block);
  for (std::int64_t r = 0; r < rows.rows; ++r) {
    if (own[r] != kNotLandmark) distances[r * set_.stride() + own[r]] = 0.0F;
  }
  maximum_[static_cast<std::size_t>(block)] =
      tile_maximum(distances, rows.rows, set_.count(), set_.stride());
}

float LandmarkMatrix::maximum() const {
  return *std::max_element(maximum_.begin(), maximum_.begin() + set_.blocks());
}

}  // namespace lpdm::cpu
