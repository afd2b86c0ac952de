// A block ranks 8 rows: T is formed anew for each of 4 bytes of its bits, from the highest on, and
// a histogram of that byte tells which values can still be at the wanted rank. T ≥ 0, so its bits
// ascend with its value. Among equal values the columns decide.
#include "common/intrinsics.h"
#include "common/launch.h"
#include "common/rows.h"
#include "pairs/pair_arithmetic.cuh"
#include "pairs/row_limits.h"
#include "pairs/target_tile.cuh"

namespace lpdm::cuda {

namespace {

constexpr int kRows = 8;  // of a block, one per warp
constexpr int kWarp = 32;
static_assert(kRows * kWarp == kBlockThreads);
constexpr int kBins = 256;
constexpr unsigned kAllLanes = 0xFFFFFFFFU;

struct MutableLimits {
  float* closest;
  std::int64_t* closest_column;
  float* furthest;
  std::int64_t* furthest_column;
};

// What is sought in a row: the entry of a rank, from 0, among those whose highest bits are
// `prefix`.
struct Search {
  std::uint32_t prefix;
  std::int64_t rank;  // below 0: nothing is sought
};

struct Shared {
  unsigned histogram[2][kRows][kBins];
  Search search[2][kRows];  // of the closest and of the furthest limit
};

// T of one row and column, to the last bit as target_tile forms it.
template <class Numbers>
__device__ float target_entry(const PairDomain& domain, const TargetView& view, std::int64_t row,
                              std::int64_t column) {
  typename Numbers::Accumulator sum = 0.0F;
  for (int k = 0; k < view.rows.depth; ++k) {
    Numbers::add(sum, view.rows.words[k * view.rows.stride + row],
                 view.columns.words[k * view.columns.stride + column]);
  }
  const float shift_row = domain.rows.shift != nullptr ? domain.rows.shift[row] : 0.0F;
  const float shift_column = domain.columns.shift != nullptr ? domain.columns.shift[column] : 0.0F;
  const float target = normalized(Numbers::distance(__fadd_rn(0.0F, Numbers::total(sum))),
                                  *view.scales, shift_row, shift_column);
  return target + 0.0F;  // −0 becomes 0
}

__device__ Search first_search(SparsePairs sparse, std::int64_t others, bool furthest) {
  const std::int64_t half = ceil_div(others, 2);
  const std::int64_t quarter = ceil_div(others, 4);
  const bool wanted =
      sparse == SparsePairs::kClosestFurthest || (sparse == SparsePairs::kFurthest) == furthest;
  const std::int64_t kept = sparse == SparsePairs::kClosestFurthest ? quarter : half;
  if (!wanted || kept == 0) return {0, -1};
  return {0, furthest ? others - kept : kept - 1};
}

// Counts the byte at `shift` of all candidates of the block's rows.
template <class Numbers>
__device__ void count_bytes(const PairDomain& domain, const TargetView& view,
                            std::int64_t first_row, std::int64_t count, int shift, Shared& shared) {
  for (std::int64_t column = threadIdx.x; column < count; column += kBlockThreads) {
    for (int r = 0; r < kRows && first_row + r < count; ++r) {
      if (first_row + r == column) continue;
      const std::uint32_t bits =
          __float_as_uint(target_entry<Numbers>(domain, view, first_row + r, column));
      for (int end = 0; end < 2; ++end) {
        const Search& search = shared.search[end][r];
        const bool candidate = shift == 24 || bits >> (shift + 8) == search.prefix >> (shift + 8);
        if (search.rank >= 0 && candidate) {
          atomicAdd(&shared.histogram[end][r][bits >> shift & 0xFFU], 1U);
        }
      }
    }
  }
}

// Chooses the byte that the sought entry has.
__device__ void narrow(const unsigned* histogram, int shift, Search& search) {
  if (search.rank < 0) return;
  unsigned bin = 0;
  while (search.rank >= histogram[bin]) search.rank -= histogram[bin++];
  search.prefix |= bin << shift;
}

// By one warp: the column of the entry of rank `search.rank` among those equal to search.prefix.
template <class Numbers>
__device__ std::int64_t column_of(const PairDomain& domain, const TargetView& view,
                                  std::int64_t row, std::int64_t count, const Search& search) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  std::int64_t left = search.rank;
  for (std::int64_t first = 0; first < count; first += kWarp) {
    const std::int64_t column = first + lane;
    const bool equal =
        column < count && column != row &&
        __float_as_uint(target_entry<Numbers>(domain, view, row, column)) == search.prefix;
    unsigned found = __ballot_sync(kAllLanes, equal ? 1 : 0);
    const int here = __popc(found);
    if (left >= here) {
      left -= here;
      continue;
    }
    for (; left > 0; --left) found &= found - 1;
    return first + __ffs(static_cast<int>(found)) - 1;
  }
  return 0;
}

template <class Numbers>
__global__ void find_row_limits_kernel(PairDomain domain, TargetView view, SparsePairs sparse,
                                       MutableLimits limits) {
  __shared__ Shared shared;
  const std::int64_t count = *domain.rows.count;
  const std::int64_t first_row = static_cast<std::int64_t>(blockIdx.x) * kRows;
  if (first_row >= count) return;
  const int thread = static_cast<int>(threadIdx.x);
  if (thread < 2 * kRows) {
    shared.search[thread / kRows][thread % kRows] =
        first_search(sparse, count - 1, thread / kRows == 1);
  }
  for (int shift = 24; shift >= 0; shift -= 8) {
    __syncthreads();
    for (int k = thread; k < 2 * kRows * kBins; k += kBlockThreads) {
      shared.histogram[k / (kRows * kBins)][k / kBins % kRows][k % kBins] = 0;
    }
    __syncthreads();
    count_bytes<Numbers>(domain, view, first_row, count, shift, shared);
    __syncthreads();
    if (thread < 2 * kRows && first_row + thread % kRows < count) {
      const int end = thread / kRows, r = thread % kRows;
      narrow(shared.histogram[end][r], shift, shared.search[end][r]);
    }
  }
  __syncthreads();
  const std::int64_t row = first_row + thread / kWarp;
  if (row >= count) return;
  for (int end = 0; end < 2; ++end) {
    const Search search = shared.search[end][thread / kWarp];
    const float nothing = end == 0 ? -HUGE_VALF : HUGE_VALF;
    const std::int64_t column =
        search.rank < 0 ? 0 : column_of<Numbers>(domain, view, row, count, search);
    if (thread % kWarp != 0) continue;
    (end == 0 ? limits.closest : limits.furthest)[row] =
        search.rank < 0 ? nothing : __uint_as_float(search.prefix);
    (end == 0 ? limits.closest_column : limits.furthest_column)[row] = column;
  }
}

}  // namespace

RowLimits find_row_limits(Context& context, const PairDomain& domain, const TargetView& target,
                          Metric metric, SparsePairs sparse) {
  const std::int64_t rows = domain.rows.capacity;
  const MutableLimits limits{context.scratch<float>(rows), context.scratch<std::int64_t>(rows),
                             context.scratch<float>(rows), context.scratch<std::int64_t>(rows)};
  launch(metric == Metric::kL1 ? find_row_limits_kernel<Fp32L1> : find_row_limits_kernel<Fp32L2>,
         {.grid = dim3(static_cast<unsigned>(ceil_div(rows, kRows))), .block = dim3(kBlockThreads)},
         context.stream, domain, target, sparse, limits);
  return {limits.closest, limits.closest_column, limits.furthest, limits.furthest_column};
}

}  // namespace lpdm::cuda
