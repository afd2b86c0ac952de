// Matrices of pairs as they stand in memory, gone through by blocks of rows.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "landmarks/landmark_pairs.h"
#include "landmarks/landmark_target.h"
#include "pairs/pair_tile.cuh"
#include "pairs/target_tile.cuh"

namespace lpdm::cuda {

// run(landmark, row) for all pairs of the block's rows, rows of a warp next to each other.
template <class Run>
__device__ void for_block_pairs(const LandmarkPairs& pairs, std::int64_t first_row,
                                std::int64_t block_rows, const Run& run) {
  const std::int64_t end = min(first_row + block_rows, *pairs.row_count);
  const auto landmarks = static_cast<int>(*pairs.landmark_count);
  for (int m = 0; m < landmarks; ++m) {
    for (std::int64_t row = first_row + threadIdx.x; row < end; row += kTileThreads) run(m, row);
  }
}

__device__ inline float shift_of_landmark(const LandmarkPairs& pairs, int m) {
  return pairs.shift != nullptr ? pairs.shift[pairs.landmarks[m]] : 0.0F;
}

// Entries of a matrix of distances, with `scales`, as those of T.
class TargetEntries {
 public:
  __device__ TargetEntries(const LandmarkPairs& pairs, const float* distances,
                           const TargetScales& scales)
      : pairs_(pairs), distances_(distances), scales_(scales) {}
  // row < N
  __device__ float at(int m, std::int64_t row) const {
    return normalized(distances_[m * pairs_.stride + row], scales_, shift_of_row(pairs_, row),
                      shift_of_landmark(pairs_, m));
  }

 private:
  const LandmarkPairs& pairs_;
  const float* distances_;
  TargetScales scales_;
};

}  // namespace lpdm::cuda
