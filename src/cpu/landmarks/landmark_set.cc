#include "cpu/landmarks/landmark_set.h"

namespace lpdm::cpu {

void LandmarkSet::expect(std::int64_t rows, std::int64_t count, const std::int64_t* index) {
  rows_ = rows;
  count_ = count;
  stride_ = pad_landmarks(count_);
  index_ = index;
}

void LandmarkSet::prepare(const PairwiseTarget& target) {
  expect(*target.rows.count, *target.landmark_count, target.landmarks);
  own_.assign(static_cast<std::size_t>(padded_rows()), kNotLandmark);
  for (std::int64_t m = 0; m < count_; ++m) {
    own_[static_cast<std::size_t>(index_[m])] = static_cast<std::int32_t>(m);
  }
}

std::int64_t LandmarkSet::chunks_of(std::int64_t rows) {
  constexpr std::int64_t kRows = 1024;  // of a pair of chunks: two threads have one each
  constexpr std::int64_t kMostChunks = 32;
  return std::min({kMostChunks, 2 * ceil_div(rows, kRows), ceil_div(rows, kLandmarkBlock)});
}

}  // namespace lpdm::cpu
