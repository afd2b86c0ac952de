// Distances of 64 rows × 128 columns by a block of 128 threads, 8×8 of them in each thread's
// registers: the inner loop of every pass over pairs.
//
// Threads lie as 8 groups of rows × 16 groups of columns. A thread's rows are 8 neighbours; its
// columns are 4 neighbours in each half of the tile, so that the 16-byte loads of a warp fall into
// different banks of shared memory. Per word and thread: 4 such loads for 64 pairs.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "pairs/pair_arithmetic.cuh"
#include "pairs/pair_domain.h"

namespace lpdm::cuda {

inline constexpr int kTileRows = 64;
inline constexpr int kTileColumns = 128;
inline constexpr int kTileThreads = 128;
inline constexpr int kTileBlocks = 2;  // on a multiprocessor: more would lack registers
inline constexpr int kOwn = 8;         // rows, and columns, of one thread
inline constexpr int kQuad = 4;        // words of a 16-byte load
inline constexpr int kColumnGroups = kTileColumns / kOwn;
inline constexpr int kStageWords =
    static_cast<int>(kWordStep);  // brought into shared memory at once

// A thread's part of a tile.
using Fragment = float[kOwn][kOwn];

// Where the running thread stands in a tile.
struct TilePlace {
  int row_group, column_group;
  __device__ TilePlace()
      : row_group(static_cast<int>(threadIdx.x) / kColumnGroups),
        column_group(static_cast<int>(threadIdx.x) % kColumnGroups) {}
  __device__ int row(int r) const { return row_group * kOwn + r; }
  __device__ int column(int c) const {
    return c / kQuad * (kTileColumns / 2) + column_group * kQuad + c % kQuad;
  }
};

// Two stages: one is computed on while the other one is filled.
struct DistanceStages {
  uint4 rows[2][kStageWords][kTileRows / kQuad];
  uint4 columns[2][kStageWords][kTileColumns / kQuad];
};

namespace tile {

inline constexpr int kRowQuads = kTileRows / kQuad;
inline constexpr int kColumnQuads = kTileColumns / kQuad;
inline constexpr int kRowLoads = kStageWords * kRowQuads / kTileThreads;
inline constexpr int kColumnLoads = kStageWords * kColumnQuads / kTileThreads;
static_assert(kRowLoads * kTileThreads == kStageWords * kRowQuads);
static_assert(kColumnLoads * kTileThreads == kStageWords * kColumnQuads);

// The part of a stage that one thread carries from global to shared memory.
struct Carried {
  uint4 row[kRowLoads], column[kColumnLoads];
};

// Where a thread's part of the stages of a tile comes from, all within the padding.
class StageSource {
 public:
  __device__ StageSource(const PackedRows& rows, std::int64_t first_row, const PackedRows& columns,
                         std::int64_t first_column)
      : row_(quad(rows, static_cast<int>(threadIdx.x) / kRowQuads,
                  first_row + static_cast<int>(threadIdx.x) % kRowQuads * kQuad)),
        column_(quad(columns, static_cast<int>(threadIdx.x) / kColumnQuads,
                     first_column + static_cast<int>(threadIdx.x) % kColumnQuads * kQuad)),
        row_step_(kStageWords / kRowLoads * rows.stride / kQuad),
        column_step_(kStageWords / kColumnLoads * columns.stride / kQuad) {}

  // Of one stage after the other.
  __device__ __forceinline__ Carried next() {
    Carried carried;
#pragma unroll
    for (int k = 0; k < kRowLoads; ++k, row_ += row_step_) carried.row[k] = *row_;
#pragma unroll
    for (int k = 0; k < kColumnLoads; ++k, column_ += column_step_) carried.column[k] = *column_;
    return carried;
  }

 private:
  __device__ static const uint4* quad(const PackedRows& packed, int k, std::int64_t row) {
    return reinterpret_cast<const uint4*>(packed.words + k * packed.stride + row);
  }

  const uint4* row_;
  const uint4* column_;
  std::int64_t row_step_, column_step_;
};

__device__ __forceinline__ void store_stage(const Carried& carried, int buffer,
                                            DistanceStages& stages) {
  const int thread = static_cast<int>(threadIdx.x);
#pragma unroll
  for (int k = 0; k < kRowLoads; ++k) {
    stages.rows[buffer][k * (kStageWords / kRowLoads) + thread / kRowQuads][thread % kRowQuads] =
        carried.row[k];
  }
#pragma unroll
  for (int k = 0; k < kColumnLoads; ++k) {
    stages.columns[buffer][k * (kStageWords / kColumnLoads) + thread / kColumnQuads]
                  [thread % kColumnQuads] = carried.column[k];
  }
}

template <class Arithmetic>
__device__ __forceinline__ void add_word(const DistanceStages& stages, int buffer, int word,
                                         const TilePlace& place,
                                         typename Arithmetic::Accumulator (&sums)[kOwn][kOwn]) {
  std::uint32_t row[kOwn], column[kOwn];
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const uint4 r = stages.rows[buffer][word][place.row_group * 2 + half];
    const uint4 c = stages.columns[buffer][word][half * kColumnGroups + place.column_group];
    row[half * kQuad] = r.x, row[half * kQuad + 1] = r.y;
    row[half * kQuad + 2] = r.z, row[half * kQuad + 3] = r.w;
    column[half * kQuad] = c.x, column[half * kQuad + 1] = c.y;
    column[half * kQuad + 2] = c.z, column[half * kQuad + 3] = c.w;
  }
#pragma unroll
  for (int r = 0; r < kOwn; ++r) {
#pragma unroll
    for (int c = 0; c < kOwn; ++c) Arithmetic::add(sums[r][c], row[r], column[c]);
  }
}

template <class Arithmetic>
__device__ __forceinline__ void add_stage(const DistanceStages& stages, int buffer, int words,
                                          const TilePlace& place,
                                          typename Arithmetic::Accumulator (&sums)[kOwn][kOwn]) {
  if (words == kStageWords) {
#pragma unroll
    for (int k = 0; k < kStageWords; ++k) add_word<Arithmetic>(stages, buffer, k, place, sums);
  } else {
#pragma unroll 1
    for (int k = 0; k < words; ++k) add_word<Arithmetic>(stages, buffer, k, place, sums);
  }
}

template <class Arithmetic>
__device__ __forceinline__ void flush(typename Arithmetic::Accumulator (&sums)[kOwn][kOwn],
                                      Fragment& totals) {
#pragma unroll
  for (int r = 0; r < kOwn; ++r) {
#pragma unroll
    for (int c = 0; c < kOwn; ++c) {
      totals[r][c] = __fadd_rn(totals[r][c], Arithmetic::total(sums[r][c]));
      sums[r][c] = typename Arithmetic::Accumulator{};
    }
  }
}

}  // namespace tile

// distances: of rows first_row .. and columns first_column .., which may be padding. All threads of
// the block take part; before it returns they have all left `stages`.
template <class Arithmetic>
__device__ __forceinline__ void distance_tile(const PackedRows& rows, std::int64_t first_row,
                                              const PackedRows& columns, std::int64_t first_column,
                                              DistanceStages& stages, Fragment& distances) {
  const TilePlace place;
  typename Arithmetic::Accumulator sums[kOwn][kOwn] = {};
#pragma unroll
  for (int r = 0; r < kOwn; ++r) {
#pragma unroll
    for (int c = 0; c < kOwn; ++c) distances[r][c] = 0.0F;
  }
  const int stage_count = (rows.depth + kStageWords - 1) / kStageWords;
  constexpr int kFlushStages = Arithmetic::kFlushWords / kStageWords;
  static_assert(kFlushStages * kStageWords == Arithmetic::kFlushWords);
  tile::StageSource source(rows, first_row, columns, first_column);
  tile::store_stage(source.next(), 0, stages);
  __syncthreads();
  for (int s = 0; s < stage_count;) {
    const int end = kFlushStages > 0 ? min(s + kFlushStages, stage_count) : stage_count;
    for (; s < end; ++s) {
      const bool more = s + 1 < stage_count;
      tile::Carried next;
      if (more) next = source.next();
      tile::add_stage<Arithmetic>(stages, s % 2, min(kStageWords, rows.depth - s * kStageWords),
                                  place, sums);
      if (more) tile::store_stage(next, (s + 1) % 2, stages);
      __syncthreads();
    }
    tile::flush<Arithmetic>(sums, distances);
  }
#pragma unroll
  for (int r = 0; r < kOwn; ++r) {
#pragma unroll
    for (int c = 0; c < kOwn; ++c) distances[r][c] = Arithmetic::distance(distances[r][c]);
  }
}

}  // namespace lpdm::cuda
