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
inline constexpr int kTileBlocks =
    3;                           // on a multiprocessor: as many as have 160 registers a thread
inline constexpr int kOwn = 8;   // rows, and columns, of one thread
inline constexpr int kQuad = 4;  // words of a 16-byte load
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

// The part of a stage that one thread carries from global to shared memory.
struct Carried {
  uint4 row, column[2];
};

inline constexpr int kRowQuads = kTileRows / kQuad;
inline constexpr int kColumnQuads = kTileColumns / kQuad;
static_assert(kStageWords * kRowQuads == kTileThreads);
static_assert(kStageWords * kColumnQuads == 2 * kTileThreads);

// Reads 4 words of `packed` at word `k` and row `row`, both within the padding.
__device__ inline uint4 load_quad(const PackedRows& packed, int k, std::int64_t row) {
  return *reinterpret_cast<const uint4*>(packed.words + k * packed.stride + row);
}

__device__ inline Carried load_stage(const PackedRows& rows, std::int64_t first_row,
                                     const PackedRows& columns, std::int64_t first_column,
                                     int first_word) {
  const int thread = static_cast<int>(threadIdx.x);
  Carried carried;
  carried.row =
      load_quad(rows, first_word + thread / kRowQuads, first_row + thread % kRowQuads * kQuad);
  for (int half = 0; half < 2; ++half) {
    carried.column[half] =
        load_quad(columns, first_word + half * (kStageWords / 2) + thread / kColumnQuads,
                  first_column + thread % kColumnQuads * kQuad);
  }
  return carried;
}

__device__ inline void store_stage(const Carried& carried, int buffer, DistanceStages& stages) {
  const int thread = static_cast<int>(threadIdx.x);
  stages.rows[buffer][thread / kRowQuads][thread % kRowQuads] = carried.row;
  for (int half = 0; half < 2; ++half) {
    stages
        .columns[buffer][half * (kStageWords / 2) + thread / kColumnQuads][thread % kColumnQuads] =
        carried.column[half];
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
  tile::store_stage(tile::load_stage(rows, first_row, columns, first_column, 0), 0, stages);
  __syncthreads();
  for (int s = 0; s < stage_count; ++s) {
    const bool more = s + 1 < stage_count;
    tile::Carried next;
    if (more) {
      next = tile::load_stage(rows, first_row, columns, first_column, (s + 1) * kStageWords);
    }
    const int words = min(kStageWords, rows.depth - s * kStageWords);
    if (words == kStageWords) {
#pragma unroll
      for (int k = 0; k < kStageWords; ++k) {
        tile::add_word<Arithmetic>(stages, s % 2, k, place, sums);
      }
    } else {
#pragma unroll 1
      for (int k = 0; k < words; ++k) tile::add_word<Arithmetic>(stages, s % 2, k, place, sums);
    }
    if constexpr (Arithmetic::kFlushWords > 0) {
      static_assert(Arithmetic::kFlushWords % kStageWords == 0);
      if ((s + 1) % (Arithmetic::kFlushWords / kStageWords) == 0) {
        tile::flush<Arithmetic>(sums, distances);
      }
    }
    if (more) tile::store_stage(next, (s + 1) % 2, stages);
    __syncthreads();
  }
  tile::flush<Arithmetic>(sums, distances);
#pragma unroll
  for (int r = 0; r < kOwn; ++r) {
#pragma unroll
    for (int c = 0; c < kOwn; ++c) distances[r][c] = Arithmetic::distance(distances[r][c]);
  }
}

}  // namespace lpdm::cuda
