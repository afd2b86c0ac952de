// Values as integers of the same order, sorted and searched.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "common/block.h"

namespace lpdm::cuda {

inline constexpr std::uint32_t kPastAll = 0xFFFFFFFFU;

// Ascends with the value; both zeros alike.
__device__ inline std::uint32_t sort_key(float value) {
  const std::uint32_t bits = __float_as_uint(value + 0.0F);
  return (bits & 0x80000000U) != 0 ? ~bits : bits | 0x80000000U;
}

// How many of `count` ascending keys, `step` apart, are below `key`.
__device__ inline std::int64_t rank_of(const std::uint32_t* sorted, std::int64_t step,
                                       std::int64_t count, std::uint32_t key) {
  std::int64_t low = 0, high = count;
  while (low < high) {
    const std::int64_t middle = (low + high) / 2;
    if (sorted[middle * step] < key) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

// Bitonic, of a power of two of keys, by a block of kBlockThreads.
__device__ inline void sort_in_block(std::uint32_t* keys, int size) {
  for (int run = 2; run <= size; run *= 2) {
    for (int step = run / 2; step > 0; step /= 2) {
      __syncthreads();
      for (int k = static_cast<int>(threadIdx.x); k < size / 2; k += kBlockThreads) {
        const int low = 2 * k - (k & (step - 1));
        const std::uint32_t a = keys[low], b = keys[low + step];
        if (((low & run) == 0) == (a > b)) {
          keys[low] = b;
          keys[low + step] = a;
        }
      }
    }
  }
  __syncthreads();
}

// The power of two of keys that a block sorts for up to `count` of them.
inline std::int64_t sort_size(std::int64_t count) {
  std::int64_t size = 1;
  while (size < count) size *= 2;
  return size;
}

}  // namespace lpdm::cuda
