// Distances of a block of rows to all landmarks, 8×8 of them in each thread's registers; or 2×8,
// where rows are too few to fill the device with threads of 8.
//
// Unlike a tile of all pairs (pairs/pair_tile.cuh) a block has as many rows as it has threads for,
// and rows are read as they lie: a landmark's values are needed by all rows at once, so that few
// landmarks leave nothing to be padded to 64 and nothing has to be packed beforehand. A thread's
// rows are 16 apart: the 16-byte loads of a warp fall into different banks of shared memory.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <type_traits>

#include "common/intrinsics.h"
#include "common/rows.h"
#include "landmarks/landmark_pairs.h"
#include "landmarks/row_quads.h"
#include "pairs/dispatch.cuh"
#include "pairs/pair_arithmetic.cuh"
#include "pairs/pair_tile.cuh"

namespace lpdm::cuda {

inline constexpr int kRowLanes = 16;
inline constexpr int kLandmarkBlocks = 3;  // on a multiprocessor: more would lack registers

inline constexpr int kFewOwnRows = 2;

// kOfGroups: of 8 landmarks each. kOfRows: of a thread.
template <int kOfGroups, int kOfRows = kOwn>
struct LandmarkShape {
  static constexpr int kGroups = kOfGroups, kOwnRows = kOfRows;
  static constexpr int kLandmarks = kGroups * kOwn;
  static constexpr int kRows = kTileThreads / kGroups * kOwnRows;  // of a block
  // Dimensions staged at once: more where a block has a multiprocessor to itself and nobody else
  // fills the time that the next ones take to come.
  static constexpr int kChunk = kOwnRows == kFewOwnRows ? 32 : kGroups == 2 ? 8 : 16;
  static constexpr int kQuads = kChunk / kQuad;
  static constexpr int kPitch = kQuads + 1;  // one more against bank conflicts
  static constexpr int kRowsAtOnce = kTileThreads / kQuads;
  static constexpr int kRowLoads = kRows / kRowsAtOnce;
  static constexpr int kLandmarkLoads = (kLandmarks + kRowsAtOnce - 1) / kRowsAtOnce;
  static_assert(kRowLoads * kRowsAtOnce == kRows && kRowPadding % kRows == 0);

  // Two stages: one is computed on while the other one is filled.
  struct Stages {
    float4 rows[2][kRows][kPitch];
    float4 landmarks[2][kLandmarks][kPitch];
  };
  // The part of a stage that one thread carries from global to shared memory.
  struct Carried {
    float4 row[kRowLoads], landmark[kLandmarkLoads];
  };
};

// A thread's distances.
template <int kOwnRows>
using LandmarkFragment = float[kOwnRows][kOwn];

// Where the running thread stands: its entries of a fragment are [row][landmark].
template <int kGroups, int kOwnRows = kOwn>
struct LandmarkPlace {
  int lane, group, row_block;
  __device__ LandmarkPlace()
      : lane(static_cast<int>(threadIdx.x) % kRowLanes),
        group(static_cast<int>(threadIdx.x) / kRowLanes % kGroups),
        row_block(static_cast<int>(threadIdx.x) / (kRowLanes * kGroups)) {}
  __device__ int row(int r) const { return (row_block * kOwnRows + r) * kRowLanes + lane; }
  __device__ int landmark(int c) const { return group * kOwn + c; }
};

namespace landmark {

// Where a thread's part of the stages comes from.
template <class Shape>
class StageSource {
 public:
  __device__ StageSource(const LandmarkPairs& pairs, const RowQuads& values, std::int64_t first_row)
      : rows_(values.data + first_row * values.pitch),
        at_(part() * kQuad),
        last_(static_cast<int>(values.pitch) - kQuad) {
    const auto last_row = static_cast<int>(
        min(*pairs.row_count - first_row, static_cast<std::int64_t>(Shape::kRows)) - 1);
#pragma unroll
    for (int k = 0; k < Shape::kRowLoads; ++k) {
      row_[k] = min(line() + k * Shape::kRowsAtOnce, last_row) * static_cast<int>(values.pitch);
    }
    const auto last_landmark = static_cast<int>(*pairs.landmark_count) - 1;
#pragma unroll
    for (int k = 0; k < Shape::kLandmarkLoads; ++k) {
      const int m = min(line() + k * Shape::kRowsAtOnce, last_landmark);
      landmark_[k] = values.data + pairs.landmarks[m] * values.pitch;
    }
  }

  // Of one stage after the other. Beyond the last row, landmark and dimension it is those again:
  // what comes of them is not used.
  __device__ __forceinline__ typename Shape::Carried next() {
    typename Shape::Carried carried;
    const int at = min(at_, last_);
#pragma unroll
    for (int k = 0; k < Shape::kRowLoads; ++k) {
      carried.row[k] = *reinterpret_cast<const float4*>(rows_ + (row_[k] + at));
    }
#pragma unroll
    for (int k = 0; k < Shape::kLandmarkLoads; ++k) {
      carried.landmark[k] = *reinterpret_cast<const float4*>(landmark_[k] + at);
    }
    at_ += Shape::kChunk;
    return carried;
  }

  __device__ static void store(const typename Shape::Carried& carried, int buffer,
                               typename Shape::Stages& stages) {
#pragma unroll
    for (int k = 0; k < Shape::kRowLoads; ++k) {
      stages.rows[buffer][line() + k * Shape::kRowsAtOnce][part()] = carried.row[k];
    }
#pragma unroll
    for (int k = 0; k < Shape::kLandmarkLoads; ++k) {
      const int m = line() + k * Shape::kRowsAtOnce;
      if (m < Shape::kLandmarks) stages.landmarks[buffer][m][part()] = carried.landmark[k];
    }
  }

 private:
  __device__ static int part() { return static_cast<int>(threadIdx.x) % Shape::kQuads; }
  __device__ static int line() { return static_cast<int>(threadIdx.x) / Shape::kQuads; }

  const float* rows_;
  const float* landmark_[Shape::kLandmarkLoads];
  int row_[Shape::kRowLoads];  // where each begins, from rows_ on
  int at_;                     // the thread's next quad of each
  int last_;
};

template <class Arithmetic, int kGroups, int kOwnRows>
__device__ __forceinline__ void add_quad(
    const typename LandmarkShape<kGroups, kOwnRows>::Stages& stages, int buffer, int quad,
    const LandmarkPlace<kGroups, kOwnRows>& place,
    typename Arithmetic::Accumulator (&sums)[kOwnRows][kOwn]) {
  float4 row[kOwnRows];
#pragma unroll
  for (int r = 0; r < kOwnRows; ++r) row[r] = stages.rows[buffer][place.row(r)][quad];
#pragma unroll
  for (int c = 0; c < kOwn; ++c) {
    const float4 other = stages.landmarks[buffer][place.landmark(c)][quad];
#pragma unroll
    for (int r = 0; r < kOwnRows; ++r) {
      Arithmetic::add(sums[r][c], __float_as_uint(row[r].x), __float_as_uint(other.x));
      Arithmetic::add(sums[r][c], __float_as_uint(row[r].y), __float_as_uint(other.y));
      Arithmetic::add(sums[r][c], __float_as_uint(row[r].z), __float_as_uint(other.z));
      Arithmetic::add(sums[r][c], __float_as_uint(row[r].w), __float_as_uint(other.w));
    }
  }
}

}  // namespace landmark

// distances: of the rows first_row .., 0 from N on, and of all landmarks. Arithmetic: in float32.
// All threads of the block take part.
template <class Arithmetic, int kGroups, int kOwnRows>
__device__ __forceinline__ void landmark_distances(
    const LandmarkPairs& pairs, const RowQuads& values, std::int64_t first_row,
    typename LandmarkShape<kGroups, kOwnRows>::Stages& stages,
    LandmarkFragment<kOwnRows>& distances) {
  using Shape = LandmarkShape<kGroups, kOwnRows>;
  static_assert(Arithmetic::kFlushWords == 0 && Arithmetic::kValuesPerWord == 1);
  const LandmarkPlace<kGroups, kOwnRows> place;
  typename Arithmetic::Accumulator sums[kOwnRows][kOwn] = {};
  landmark::StageSource<Shape> source(pairs, values, first_row);
  source.store(source.next(), 0, stages);
  __syncthreads();
  const int quads = static_cast<int>(values.pitch / kQuad);
  for (int done = 0, buffer = 0; done < quads; done += Shape::kQuads, buffer ^= 1) {
    const bool more = done + Shape::kQuads < quads;
    typename Shape::Carried next;
    if (more) next = source.next();
    if (more || quads - done == Shape::kQuads) {
#pragma unroll
      for (int k = 0; k < Shape::kQuads; ++k) {
        landmark::add_quad<Arithmetic>(stages, buffer, k, place, sums);
      }
    } else {
#pragma unroll 1
      for (int k = 0; k < quads - done; ++k) {
        landmark::add_quad<Arithmetic>(stages, buffer, k, place, sums);
      }
    }
    if (more) source.store(next, buffer ^ 1, stages);
    __syncthreads();
  }
  const std::int64_t rows = *pairs.row_count - first_row;
#pragma unroll
  for (int r = 0; r < kOwnRows; ++r) {
    const bool real = place.row(r) < rows;
#pragma unroll
    for (int c = 0; c < kOwn; ++c) {
      distances[r][c] = real ? Arithmetic::distance(Arithmetic::total(sums[r][c])) : 0.0F;
    }
  }
}

// How many ordered entries an entry of each row of a block stands for, in shared memory: 1 where
// the row is a landmark, else 2; 0 from N on.
class RowCounts {
 public:
  // By all threads of the block, which may ask afterwards.
  __device__ void find(const LandmarkPairs& pairs, std::int64_t first_row) {
    const std::int64_t rows = *pairs.row_count - first_row;
    const auto thread = static_cast<int>(threadIdx.x);
    for (int k = thread; k < kRowPadding; k += kTileThreads) counts_[k] = k < rows ? 2.0F : 0.0F;
    __syncthreads();
    if (thread < *pairs.landmark_count) {
      const std::int64_t row = pairs.landmarks[thread] - first_row;
      if (row >= 0 && row < kRowPadding) counts_[row] = 1.0F;
    }
    __syncthreads();
  }
  __device__ float of(int row) const { return counts_[row]; }
  __device__ bool is_landmark(int row) const { return counts_[row] == 1.0F; }

 private:
  float counts_[kRowPadding];
};

// Of the running thread's rows.
template <int kGroups, int kOwnRows>
__device__ __forceinline__ void own_counts(const RowCounts& counts,
                                           const LandmarkPlace<kGroups, kOwnRows>& place,
                                           float (&own)[kOwnRows]) {
#pragma unroll
  for (int r = 0; r < kOwnRows; ++r) own[r] = counts.of(place.row(r));
}

// The guidance of the running thread's rows; 0 from N on.
template <int kGroups, int kOwnRows>
__device__ __forceinline__ void own_shifts(const LandmarkPairs& pairs, std::int64_t first_row,
                                           const LandmarkPlace<kGroups, kOwnRows>& place,
                                           float (&own)[kOwnRows]) {
#pragma unroll
  for (int r = 0; r < kOwnRows; ++r) {
    const std::int64_t row = first_row + place.row(r);
    own[r] = row < *pairs.row_count ? shift_of_row(pairs, row) : 0.0F;
  }
}

// run(Type<arithmetic>, Type<shape>): for as few groups as hold the landmarks, and a thread's rows
// as pairs.few_rows says.
template <class Run>
void dispatch_landmarks(Metric metric, const LandmarkPairs& pairs, const Run& run) {
  const auto of_shape = [&](auto shape) {
    metric == Metric::kL2 ? run(Type<Fp32L2>{}, shape) : run(Type<Fp32L1>{}, shape);
  };
  const auto of_groups = [&](auto groups) {
    constexpr int kGroups = decltype(groups)::value;
    if (pairs.few_rows) {
      of_shape(Type<LandmarkShape<kGroups, kFewOwnRows>>{});
    } else {
      of_shape(Type<LandmarkShape<kGroups>>{});
    }
  };
  if (pairs.landmark_capacity <= LandmarkShape<2>::kLandmarks) {
    of_groups(std::integral_constant<int, 2>{});
  } else if (pairs.landmark_capacity <= LandmarkShape<4>::kLandmarks) {
    of_groups(std::integral_constant<int, 4>{});
  } else {
    of_groups(std::integral_constant<int, 8>{});
  }
}

// A block for each block of rows.
template <class Shape>
LaunchShape landmark_shape(const LandmarkPairs& pairs) {
  return {.grid = dim3(static_cast<unsigned>(ceil_div(pairs.row_capacity, Shape::kRows))),
          .block = dim3(kTileThreads),
          .shared_bytes = sizeof(typename Shape::Stages)};
}

}  // namespace lpdm::cuda
