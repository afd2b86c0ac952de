#include "common/checks.h"
#include "common/launch.h"
#include "common/rows.h"
#include "lowrank/furthest_pairs.h"
#include "pairs/target_tile.cuh"
#include "pairs/tile_walk.cuh"

namespace lpdm::cuda {

namespace {

__device__ std::uint64_t found_key(float distance, std::int64_t row) {
  return static_cast<std::uint64_t>(__float_as_uint(distance)) << 32 |
         static_cast<std::uint64_t>(~static_cast<unsigned>(row));
}

// Evenly spread rows; marks them as seen.
__global__ void first_queries_kernel(PairSide batch, std::int64_t* queries, std::int64_t* count,
                                     unsigned* seen) {
  const std::int64_t rows = *batch.count;
  const std::int64_t starts = min(rows, kMostStarts);
  for (std::int64_t k = threadIdx.x; k < starts; k += kBlockThreads) {
    queries[k] = k * rows / starts;
    seen[queries[k]] = 1U;
  }
  if (threadIdx.x == 0) *count = starts;
}

// The words of the queries as a packed matrix of their own, and their shifts.
__global__ void gather_queries_kernel(PairSide queries, PackedRows packed, const float* shift,
                                      std::uint32_t* words, std::int64_t stride, float* shifts) {
  const std::int64_t count = *queries.count;
  for_chunk_items(stride * packed.depth, [&](std::int64_t k) {
    const std::int64_t query = k % stride;
    words[k] = query < count ? packed.words[k / stride * packed.stride + queries.index[query]] : 0U;
    if (k < stride && shift != nullptr) {
      shifts[k] = query < count ? shift[queries.index[query]] : 0.0F;
    }
  });
}

__global__ void __launch_bounds__(kTileThreads, kTileBlocks)
    sweep_kernel(PairDomain domain, PackedRows rows, PackedRows columns, const TargetScales* scales,
                 std::uint64_t* found) {
  __shared__ DistanceStages stages;
  TileWalk walk(domain, false);
  if (!walk.has_rows()) return;
  const TilePlace place;
  std::uint64_t best[kOwn] = {};
  walk.for_tiles([&](const TileBounds& bounds) {
    Fragment distances;
    distance_tile<Fp32L1>(rows, bounds.first_row, columns, bounds.first_column, stages, distances);
    if (scales != nullptr) normalize_tile(domain, bounds, undivided(*scales), distances);
#pragma unroll
    for (int r = 0; r < kOwn; ++r) {
#pragma unroll
      for (int c = 0; c < kOwn; ++c) {
        const std::int64_t column = bounds.first_column + place.column(c);
        if (column < bounds.columns) best[r] = max(best[r], found_key(distances[r][c], column));
      }
    }
  });
#pragma unroll
  for (int r = 0; r < kOwn; ++r) {
    const std::int64_t row = walk.bounds.first_row + place.row(r);
    if (row < walk.bounds.rows) {
      atomicMax(reinterpret_cast<unsigned long long*>(found + row),
                static_cast<unsigned long long>(best[r]));
    }
  }
}

// The rows found that nobody has asked before, in the order of their queries.
__global__ void next_queries_kernel(const std::uint64_t* found, const std::int64_t* count,
                                    unsigned* seen, std::int64_t* queries,
                                    std::int64_t* next_count) {
  std::int64_t total = 0;
  for (std::int64_t first = 0; first < *count; first += kBlockThreads) {
    const std::int64_t k = first + threadIdx.x;
    bool fresh = k < *count && seen[found_row(found[k])] == 0U;
    for (std::int64_t before = first; fresh && before < k; ++before) {
      fresh = found_row(found[before]) != found_row(found[k]);
    }
    const std::int64_t mine = fresh ? 1 : 0;
    const std::int64_t place = block_scan_before(mine, std::int64_t{0}, Plus{});
    if (fresh) {
      queries[total + place] = found_row(found[k]);
      seen[found_row(found[k])] = 1U;
    }
    total += block_reduce(mine, Plus{});
    __syncthreads();
  }
  if (threadIdx.x == 0) *next_count = total;
}

}  // namespace

FoundPairs find_furthest_pairs(Context& context, const PairSide& batch, const PackedRows& packed,
                               const TargetScales* scales) {
  auto* counts = context.scratch<std::int64_t>(kSweeps + 1);
  auto* queries = context.scratch<std::int64_t>((kSweeps + 1) * kMostStarts);
  auto* found = context.scratch<std::uint64_t>(kSweeps * kMostStarts);
  auto* seen = context.scratch<unsigned>(batch.capacity);
  auto* shifts = context.scratch<float>(kMostStarts);
  const std::int64_t padded = ceil_div(packed.depth, kWordStep) * kWordStep;
  auto* words = context.scratch<std::uint32_t>(padded * kMostStarts);
  const auto clear = [&](void* memory, std::size_t bytes) {
    check(cudaMemsetAsync(memory, 0, bytes, context.stream), "clearing memory");
  };
  clear(seen, static_cast<std::size_t>(batch.capacity) * sizeof(unsigned));
  clear(found, kSweeps * kMostStarts * sizeof(std::uint64_t));
  clear(words, static_cast<std::size_t>(padded * kMostStarts) * sizeof(std::uint32_t));
  const LaunchShape one_block{.grid = dim3(1), .block = dim3(kBlockThreads)};
  launch(first_queries_kernel, one_block, context.stream, batch, queries, counts, seen);
  for (int sweep = 0; sweep < kSweeps; ++sweep) {
    PairDomain domain;
    domain.square = false;
    domain.columns = batch;
    domain.rows = {.count = counts + sweep,
                   .capacity = std::min(batch.capacity, kMostStarts),
                   .index = queries + sweep * kMostStarts,
                   .shift = batch.shift != nullptr ? shifts : nullptr};
    launch(gather_queries_kernel, chunk_shape(kMostStarts * packed.depth), context.stream,
           domain.rows, packed, batch.shift, words, kMostStarts, shifts);
    const TileGrid grid = tile_grid(domain, context.device.multiprocessors);
    launch(sweep_kernel, {.grid = grid.grid(), .block = dim3(kTileThreads)}, context.stream, domain,
           PackedRows{words, kMostStarts, packed.depth}, packed, scales,
           found + sweep * kMostStarts);
    launch(next_queries_kernel, one_block, context.stream, found + sweep * kMostStarts,
           counts + sweep, seen, queries + (sweep + 1) * kMostStarts, counts + sweep + 1);
  }
  return {counts, queries, found};
}

}  // namespace lpdm::cuda
