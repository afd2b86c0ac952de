#include "cpu/landmark_set.h"

namespace lpdm::cpu {

void LandmarkSet::prepare(const PairwiseTarget& target) {
  rows_ = *target.rows.count;
  count_ = *target.landmark_count;
  stride_ = ceil_div(count_, kLandmarkLanes) * kLandmarkLanes;
  index_ = target.landmarks;
  own_.assign(static_cast<std::size_t>(padded_rows()), kNotLandmark);
  for (std::int64_t m = 0; m < count_; ++m) {
    own_[static_cast<std::size_t>(index_[m])] = static_cast<std::int32_t>(m);
  }
}

std::int64_t LandmarkSet::chunks_of(std::int64_t rows) {
  constexpr std::int64_t kRows = 512;  // their values, of a layer, fit the second cache
  constexpr std::int64_t kMostChunks = 32;
  return std::min(kMostChunks, ceil_div(rows, kRows));
}

}  // namespace lpdm::cpu
