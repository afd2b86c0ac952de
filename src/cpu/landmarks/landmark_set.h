// Which rows of a batch are landmarks, and how its rows are cut into pieces of work.
//
// Every cut depends on the batch's size alone, so results do not depend on the number of threads.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "cpu/common/context.h"
#include "cpu/landmarks/landmark_tile.h"
#include "lpdm/ops.h"

namespace lpdm::cpu {

struct RowRange {
  std::int64_t first = 0;
  std::int64_t rows = 0;
};

// Blocks are what distances and errors are worked out in, chunks of whole blocks what gradients
// are: each chunk has a gradient of all landmarks of its own.
class LandmarkSet {
 public:
  // The target's arrays must outlive the use of the set.
  void prepare(const PairwiseTarget& target);
  // Landmarks that may still become others, of up to `rows` rows; which row is a landmark is not
  // known before prepare. index: (count)
  void expect(std::int64_t rows, std::int64_t count, const std::int64_t* index);

  std::int64_t rows() const { return rows_; }
  std::int64_t count() const { return count_; }    // M
  std::int64_t stride() const { return stride_; }  // M padded to kLandmarkLanes
  const std::int64_t* index() const { return index_; }
  // From row `first` on: which landmark each row is, or kNotLandmark.
  const std::int32_t* own(std::int64_t first) const { return own_.data() + first; }
  std::int64_t parts() const { return stride_ / kLandmarkLanes; }  // kLandmarkLanes landmarks each

  std::int64_t blocks() const { return ceil_div(rows_, kLandmarkBlock); }
  RowRange block(std::int64_t block) const {
    return cut(block * kLandmarkBlock, (block + 1) * kLandmarkBlock);
  }
  std::int64_t padded_rows() const { return blocks() * kLandmarkBlock; }

  std::int64_t chunks() const { return chunks_of(rows_); }
  RowRange chunk(std::int64_t chunk) const {
    return cut(blocks() * chunk / chunks() * kLandmarkBlock,
               blocks() * (chunk + 1) / chunks() * kLandmarkBlock);
  }
  static std::int64_t chunks_of(std::int64_t rows);

 private:
  RowRange cut(std::int64_t begin, std::int64_t end) const {
    return {begin, std::min(end, rows_) - begin};
  }

  std::int64_t rows_ = 0;
  std::int64_t count_ = 0;
  std::int64_t stride_ = 0;
  const std::int64_t* index_ = nullptr;  // (M)
  std::vector<std::int32_t> own_;        // (N padded)
};

}  // namespace lpdm::cpu
