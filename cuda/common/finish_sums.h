// The last step of sums over all rows.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "common/context.h"
#include "common/rows.h"

namespace lpdm::cuda {

// Block k writes the sum of partial[k · count .. (k + 1) · count) to result[k].
template <class Result>
__global__ void finish_sums_kernel(const double* partial, std::int64_t count, Result* result) {
  const double sum = sum_partials(partial + blockIdx.x * count, count);
  if (threadIdx.x == 0) result[blockIdx.x] = static_cast<Result>(sum);
}

// partial: (sums, count) in the context's scratch memory, result: (sums)
template <class Result>
void finish_sums(Context& context, const double* partial, std::int64_t sums, std::int64_t count,
                 Result* result) {
  launch(finish_sums_kernel<Result>,
         {.grid = dim3(static_cast<unsigned>(sums)), .block = dim3(kBlockThreads)}, context.stream,
         partial, count, result);
}

}  // namespace lpdm::cuda
