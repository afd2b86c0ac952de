// Few landmarks, which have kernels of their own: which pairs those work on, as they are told. All
// pointers are into device memory.
//
// A matrix of pairs lies as [landmark][row]. Every pair of a row and a landmark stands in it once,
// a pair of landmarks twice, so that entries of landmarks' rows count once in a sum over ordered
// entries and all others twice.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "lpdm/ops.h"

namespace lpdm::cuda {

inline constexpr int kMostLandmarks = 64;

// Matrices of pairs are padded to a multiple of so many rows, of which no block has more. There are
// zeros from N on to the end of the last block of pass 1 that has rows, and anything beyond.
inline constexpr int kRowPadding = 512;

struct LandmarkPairs {
  const std::int64_t* row_count = nullptr;  // N
  std::int64_t row_capacity = 0;
  const std::int64_t* landmarks = nullptr;       // (M) rows of the batch, distinct
  const std::int64_t* landmark_count = nullptr;  // M
  int landmark_capacity = 0;                     // at most kMostLandmarks
  const float* shift = nullptr;                  // (N) guidance; null: unguided
  std::int64_t stride = 0;                       // of a matrix of pairs
  bool few_rows = false;                         // pass 1 takes small blocks of them
};

__device__ inline float shift_of_row(const LandmarkPairs& pairs, std::int64_t row) {
  return pairs.shift != nullptr ? pairs.shift[row] : 0.0F;
}

}  // namespace lpdm::cuda
