// Turns rows into words by dimension, a tile at a time.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "common/launch.h"
#include "common/rows.h"
#include "pairs/dispatch.cuh"
#include "pairs/pair_arithmetic.cuh"
#include "pairs/pair_domain.h"
#include "pairs/pair_tile.cuh"

namespace lpdm::cuda {

inline constexpr int kPackSide = 32;  // words, and rows, that a block turns over
inline constexpr int kPackRowsAtOnce = 8;
static_assert(kRowStep % kTileColumns == 0 && kRowStep % kPackSide == 0);

// Block: (kPackSide, kPackRowsAtOnce) threads; grid: row tiles × word tiles.
inline LaunchShape pack_shape(const PackedRows& rows) {
  const std::int64_t words = ceil_div(rows.depth, kWordStep) * kWordStep;
  return {.grid = dim3(static_cast<unsigned>(rows.stride / kPackSide),
                       static_cast<unsigned>(ceil_div(words, kPackSide))),
          .block = dim3(kPackSide, kPackRowsAtOnce)};
}

// to: the words of `rows`. value(row, dimension): asked once for each of the block's, those
// included that there are not.
template <class Numbers, class Value>
__device__ void pack_tile(const PackedRows& rows, std::uint32_t* to, const Value& value) {
  __shared__ std::uint32_t tile[kPackSide][kPackSide + 1];  // one more against bank conflicts
  const std::int64_t first_row = static_cast<std::int64_t>(blockIdx.x) * kPackSide;
  const int first_word = static_cast<int>(blockIdx.y) * kPackSide;
  const int words = static_cast<int>((rows.depth + kWordStep - 1) / kWordStep * kWordStep);
  const int x = static_cast<int>(threadIdx.x);
  for (int y = static_cast<int>(threadIdx.y); y < kPackSide; y += kPackRowsAtOnce) {
    const std::int64_t dimension = std::int64_t{first_word + x} * Numbers::kValuesPerWord;
    const float first = value(first_row + y, dimension);
    const float second = Numbers::kValuesPerWord > 1 ? value(first_row + y, dimension + 1) : 0.0F;
    tile[y][x] = Numbers::pack(first, second);
  }
  __syncthreads();
  for (int y = static_cast<int>(threadIdx.y); y < kPackSide; y += kPackRowsAtOnce) {
    if (first_word + y < words) to[(first_word + y) * rows.stride + first_row + x] = tile[x][y];
  }
}

// run(Type<numbers>): what words of an arithmetic are made by.
template <class Run>
void dispatch_packing(Arithmetic arithmetic, const Run& run) {
  switch (arithmetic) {
    case Arithmetic::kFixed:
      return run(Type<Fixed>{});
    case Arithmetic::kHalf2:
      return run(Type<Half2>{});
    default:
      return run(Type<Fp32L1>{});
  }
}

}  // namespace lpdm::cuda
