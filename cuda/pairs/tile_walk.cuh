// Which tiles a block works on, and what its threads add up together.
//
// Blocks lie as (blocks of 64 rows) × (splits): of the column tiles of its rows each split takes
// every splits-th one. Blocks without rows have nothing to do and leave at once.
#pragma once

#include <cuda_runtime.h>

#include <algorithm>
#include <cstdint>

#include "common/rows.h"
#include "pairs/target_tile.cuh"

namespace lpdm::cuda {

constexpr std::int64_t round_up(std::int64_t value, std::int64_t step) {
  return ceil_div(value, step) * step;
}

// Of a grid over the tiles of a domain, for blocks of kTileThreads.
struct TileGrid {
  std::int64_t row_blocks = 0;
  int splits = 1;
  dim3 grid() const { return {static_cast<unsigned>(row_blocks), static_cast<unsigned>(splits)}; }
  std::int64_t blocks() const { return row_blocks * splits; }
};

// Enough blocks to fill the device a few times over, where there are so many tiles.
inline TileGrid tile_grid(const PairDomain& domain, int multiprocessors) {
  constexpr std::int64_t kWaves = 4;
  const std::int64_t row_blocks = ceil_div(domain.rows.capacity, kTileRows);
  const std::int64_t column_tiles = ceil_div(domain.columns.capacity, kTileColumns);
  const std::int64_t wanted = ceil_div(kWaves * kTileBlocks * multiprocessors, row_blocks);
  return {row_blocks, static_cast<int>(std::clamp<std::int64_t>(wanted, 1, column_tiles))};
}

// The tiles of the running block.
struct TileWalk {
  TileBounds bounds;
  std::int64_t first_tile, end_tile;  // along the columns

  // upper: only tiles with entries on or above the diagonal of a square domain.
  __device__ TileWalk(const PairDomain& domain, bool upper) {
    bounds.rows = *domain.rows.count;
    bounds.columns = *domain.columns.count;
    bounds.first_row = static_cast<std::int64_t>(blockIdx.x) * kTileRows;
    bounds.first_column = 0;
    first_tile = 0;
    end_tile = ceil_div(bounds.columns, kTileColumns);
    if (!has_rows()) return;
    if (domain.episode_begin != nullptr) {
      const std::int64_t last_row = min(bounds.first_row + kTileRows, bounds.rows) - 1;
      first_tile = domain.episode_begin[bounds.first_row] / kTileColumns;
      end_tile = ceil_div(domain.episode_end[last_row], kTileColumns);
    }
    if (upper && domain.square) first_tile = max(first_tile, bounds.first_row / kTileColumns);
  }

  __device__ bool has_rows() const { return bounds.first_row < bounds.rows; }
  // How many blocks of the grid have rows.
  __device__ unsigned active_blocks() const {
    return static_cast<unsigned>(ceil_div(bounds.rows, kTileRows)) * gridDim.y;
  }

  // run(bounds of the tile), for the tiles of this block's split in ascending order.
  template <class Run>
  __device__ __forceinline__ void for_tiles(const Run& run) {
    for (std::int64_t tile = first_tile + blockIdx.y; tile < end_tile; tile += gridDim.y) {
      bounds.first_column = tile * kTileColumns;
      run(bounds);
    }
  }
};

// Whether all entries of the tile lie above the diagonal.
__device__ inline bool above_diagonal(const TileBounds& bounds) {
  return bounds.first_column >= bounds.first_row + kTileRows;
}

// How many ordered entries each of a thread's entries stands for: itself, and its mirror image
// where that is not among the tiles.
struct EntryCounts {
  std::uint64_t once, twice;
  __device__ int of(std::uint64_t bit) const {
    return ((once & bit) != 0 ? 1 : 0) + ((twice & bit) != 0 ? 2 : 0);
  }
};

// The columns that are landmarks.
__device__ inline std::uint64_t landmark_mask(const PairDomain& domain, const TileBounds& bounds) {
  const TilePlace place;
  unsigned columns = 0;
#pragma unroll
  for (int c = 0; c < kOwn; ++c) {
    const std::int64_t column = bounds.first_column + place.column(c);
    if (column < bounds.columns && domain.landmark[column] >= 0) columns |= 1U << c;
  }
  return in_all_rows(columns);
}

// The entries above the diagonal of a square domain.
__device__ inline std::uint64_t above_mask(const TileBounds& bounds) {
  if (above_diagonal(bounds)) return ~std::uint64_t{0};
  const TilePlace place;
  std::uint64_t mask = 0;
#pragma unroll 1
  for (int r = 0; r < kOwn; ++r) {
    const std::int64_t row = bounds.first_row + place.row(r);
    mask |= (std::uint64_t{0xFF} << (r * kOwn)) &
            in_all_rows(columns_within(bounds, place, row + 1, bounds.columns));
  }
  return mask;
}

__device__ inline EntryCounts entry_counts(const PairDomain& domain, const TileBounds& bounds,
                                           const EntryMasks& masks) {
  if (!domain.square) {
    const std::uint64_t landmarks = landmark_mask(domain, bounds);
    return {masks.kept_by_row & landmarks, masks.kept_by_row & ~landmarks};
  }
  const std::uint64_t above = above_mask(bounds);
  const std::uint64_t diagonal = masks.kept_by_row & diagonal_mask(domain, bounds);
  return {((masks.kept_by_row ^ masks.kept_by_column) & above) | diagonal,
          masks.kept_by_row & masks.kept_by_column & above};
}

// The sum of what the threads of the block hold, in a fixed order; valid in all threads.
template <class T>
__device__ T tile_block_sum(const T& value) {
  __shared__ T partial[kTileThreads];
  const int thread = static_cast<int>(threadIdx.x);
  partial[thread] = value;
  for (int half = kTileThreads / 2; half > 0; half /= 2) {
    __syncthreads();
    if (thread < half) partial[thread] = partial[thread] + partial[thread + half];
  }
  __syncthreads();
  const T sum = partial[0];
  __syncthreads();
  return sum;
}

// The largest of what the threads hold, none below 0; valid in all threads.
__device__ inline float tile_block_max(float value) {
  __shared__ float partial[kTileThreads];
  const int thread = static_cast<int>(threadIdx.x);
  partial[thread] = value;
  for (int half = kTileThreads / 2; half > 0; half /= 2) {
    __syncthreads();
    if (thread < half) partial[thread] = fmaxf(partial[thread], partial[thread + half]);
  }
  __syncthreads();
  const float largest = partial[0];
  __syncthreads();
  return largest;
}

// Whether this is the last of `blocks` blocks to come here; what the others wrote before is then
// visible. Valid in all threads.
__device__ inline bool is_last_block(unsigned* done, unsigned blocks) {
  __shared__ bool last;
  __threadfence();
  __syncthreads();
  if (threadIdx.x == 0) last = atomicAdd(done, 1U) == blocks - 1;
  __syncthreads();
  __threadfence();
  return last;
}

}  // namespace lpdm::cuda
