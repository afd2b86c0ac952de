// What the threads of a block compute together, in an order that depends on the block's size alone.
//
// Every thread of a block of kBlockThreads must take part.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace lpdm::cuda {

inline constexpr int kBlockThreads = 256;

// What sums are started and combined with.
struct Plus {
  template <class T>
  __device__ T operator()(const T& a, const T& b) const {
    return a + b;
  }
};

// value of thread 0 ∘ value of thread 1 ∘ …, neighbours first, for an associative combine that need
// not commute. All threads get it.
template <class T, class Combine>
__device__ T block_reduce(const T& value, const Combine& combine) {
  __shared__ T partial[kBlockThreads];
  const int thread = static_cast<int>(threadIdx.x);
  __syncthreads();  // what an earlier call left has been read
  partial[thread] = value;
  for (int step = 1; step < kBlockThreads; step *= 2) {
    __syncthreads();
    if (thread % (2 * step) == 0) {
      partial[thread] = combine(partial[thread], partial[thread + step]);
    }
  }
  __syncthreads();
  return partial[0];
}

__device__ inline double block_sum(double value) { return block_reduce(value, Plus{}); }

// Of thread t: value of thread 0 ∘ … ∘ value of thread t.
template <class T, class Combine>
__device__ T block_scan(const T& value, const Combine& combine) {
  __shared__ T partial[kBlockThreads];
  const int thread = static_cast<int>(threadIdx.x);
  T mine = value;
  __syncthreads();
  partial[thread] = mine;
  for (int step = 1; step < kBlockThreads; step *= 2) {
    __syncthreads();
    const T before = thread >= step ? partial[thread - step] : mine;
    __syncthreads();
    if (thread >= step) mine = combine(before, mine);
    partial[thread] = mine;
  }
  return mine;
}

// Of thread t: value of thread 0 ∘ … ∘ value of thread t − 1, and `first` for thread 0.
template <class T, class Combine>
__device__ T block_scan_before(const T& value, const T& first, const Combine& combine) {
  __shared__ T inclusive[kBlockThreads];
  const T mine = block_scan(value, combine);
  const int thread = static_cast<int>(threadIdx.x);
  __syncthreads();
  inclusive[thread] = mine;
  __syncthreads();
  return thread == 0 ? first : inclusive[thread - 1];
}

}  // namespace lpdm::cuda
