// Matrices of pairs as they stand in memory, gone through by blocks of rows.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "landmarks/landmark_pairs.h"
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
  return shift_of_row(pairs, pairs.landmarks[m]);
}

// T of a pair, from the matrix of the inputs' distances. row < N
__device__ inline float target_entry(const LandmarkPairs& pairs, const float* inputs,
                                     const TargetScales& scales, int m, std::int64_t row) {
  return normalized(inputs[m * pairs.stride + row], scales, shift_of_row(pairs, row),
                    shift_of_landmark(pairs, m));
}

}  // namespace lpdm::cuda
