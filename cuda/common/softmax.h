// Categorical distributions from their logits.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace lpdm::cuda {

// log Σ exp(logits), so that log π(a) = logits[a] − log_sum_exp.
__device__ inline double log_sum_exp(const float* logits, std::int64_t count) {
  double largest = logits[0];
  for (std::int64_t a = 1; a < count; ++a) largest = fmax(largest, static_cast<double>(logits[a]));
  double total = 0.0;
  for (std::int64_t a = 0; a < count; ++a) total += exp(logits[a] - largest);
  return largest + log(total);
}

}  // namespace lpdm::cuda
