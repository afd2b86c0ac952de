// How work on rows is cut among blocks: in chunks of a fixed number, whatever N is.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "common/block.h"
#include "common/launch.h"

namespace lpdm::cuda {

__host__ __device__ constexpr std::int64_t ceil_div(std::int64_t a, std::int64_t b) {
  return (a + b - 1) / b;
}

inline constexpr int kItemsPerThread = 4;
inline constexpr std::int64_t kChunk = std::int64_t{kBlockThreads} * kItemsPerThread;

// A block for each chunk of `items`; kernels read it back as blockIdx.x.
inline LaunchShape chunk_shape(std::int64_t items) {
  return {.grid = dim3(static_cast<unsigned>(ceil_div(items, kChunk))),
          .block = dim3(kBlockThreads)};
}

// Calls run(i) for the items of this thread's block that are below `end`, neighbouring threads on
// neighbouring items.
template <class Run>
__device__ void for_chunk_items(std::int64_t end, const Run& run) {
  const std::int64_t first = static_cast<std::int64_t>(blockIdx.x) * kChunk + threadIdx.x;
  for (int k = 0; k < kItemsPerThread; ++k) {
    const std::int64_t i = first + std::int64_t{k} * kBlockThreads;
    if (i < end) run(i);
  }
}

// The sum of `count` partial sums, by a whole block: the same in every block.
__device__ inline double sum_partials(const double* partial, std::int64_t count) {
  double sum = 0.0;
  for (std::int64_t c = threadIdx.x; c < count; c += kBlockThreads) sum += partial[c];
  return block_sum(sum);
}

}  // namespace lpdm::cuda
