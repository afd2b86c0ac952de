// What a block of pass 2 keeps in shared memory: tables of the landmarks, which it fills once, and
// the coefficients of its warps' rows.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "landmarks/landmark_pairs.h"
#include "landmarks/landmark_steps.cuh"
#include "pairs/pair_tile.cuh"

namespace lpdm::cuda {

inline constexpr int kLanes = 32;
inline constexpr int kWarps = kTileThreads / kLanes;
inline constexpr int kSliceDims = kLanes * kQuad;  // of a block

template <int kWarpRows>
struct WarpShape {
  static constexpr int kRowQuads = kWarpRows / kQuad;
  static constexpr int kGroups = kLanes / kRowQuads;  // of lanes, that form coefficients
  static constexpr int kBlockRows = kWarps * kWarpRows;
  static_assert(kRowPadding % kBlockRows == 0);
};

// What a block keeps in shared memory, for a multiple of kWarps landmarks.
template <int kWarpRows>
struct GradientMemory {
  static constexpr int kRowQuads = WarpShape<kWarpRows>::kRowQuads;
  float4* scales;        // (landmarks, kLanes)
  float4* offsets;       // likewise
  float4* ends;          // likewise
  float4* coefficients;  // (landmarks, kRowQuads) of the running warp
  std::int64_t* rows;    // (landmarks) of the batch
  float* shifts;         // (landmarks)

  __device__ GradientMemory(float4* memory, int landmarks)
      : scales(memory),
        offsets(scales + landmarks * kLanes),
        ends(offsets + landmarks * kLanes),
        coefficients(ends + landmarks * kLanes +
                     static_cast<int>(threadIdx.x) / kLanes * landmarks * kRowQuads),
        rows(reinterpret_cast<std::int64_t*>(ends + landmarks * (kLanes + kWarps * kRowQuads))),
        shifts(reinterpret_cast<float*>(rows + landmarks)) {}
};

// The landmarks' guidance, and their values as directions take them; dimensions and landmarks that
// there are not are equal to nothing. Returns whether ExactStep is to be used.
template <int kWarpRows>
__device__ bool fill_tables(const LandmarkPairs& pairs, const LocalLossLayer& layer, Metric metric,
                            int landmarks, const GradientMemory<kWarpRows>& memory) {
  const std::int64_t d = static_cast<std::int64_t>(blockIdx.y) * kSliceDims + threadIdx.x;
  auto* scales = reinterpret_cast<float*>(memory.scales) + threadIdx.x;
  auto* offsets = reinterpret_cast<float*>(memory.offsets) + threadIdx.x;
  auto* ends = reinterpret_cast<float*>(memory.ends) + threadIdx.x;
  const auto thread = static_cast<int>(threadIdx.x);
  const auto count = static_cast<int>(*pairs.landmark_count);
  if (thread < count) {
    memory.rows[thread] = pairs.landmarks[thread];
    memory.shifts[thread] = shift_of_row(pairs, memory.rows[thread]);
  }
  const auto value_of = [&](int m) {
    return m < count && d < layer.out ? layer.output[memory.rows[m] * layer.out + d] : 0.0F;
  };
  // Those of landmarks that there are not stay zero.
  for (int k = thread % kLanes; k < landmarks * WarpShape<kWarpRows>::kRowQuads; k += kLanes) {
    memory.coefficients[k] = make_float4(0.0F, 0.0F, 0.0F, 0.0F);
  }
  __syncthreads();
  bool exact = metric == Metric::kL2;
  constexpr int kAtOnce = 16;  // that are waited for together
  for (int first = 0; first < landmarks; first += kAtOnce) {
    float values[kAtOnce];
#pragma unroll
    for (int k = 0; k < kAtOnce; ++k) values[k] = value_of(first + k);
#pragma unroll
    for (int k = 0; k < kAtOnce; ++k) {
      const int m = first + k;
      if (m >= landmarks) break;
      const float scale = step_scale(values[k]);
      scales[m * kSliceDims] = scale;
      offsets[m * kSliceDims] = __fmaf_rn(-scale, values[k], 0.5F);
      ends[m * kSliceDims] = 0.0F;
      exact = exact || needs_exact_step(values[k]);
    }
  }
  if (__syncthreads_or(exact ? 1 : 0) == 0) return false;
  for (int m = 0; m < landmarks; ++m) {
    scales[m * kSliceDims] = 1.0F;
    offsets[m * kSliceDims] = -value_of(m);
  }
  __syncthreads();
  return true;
}

}  // namespace lpdm::cuda
