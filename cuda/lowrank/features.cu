#include <numbers>

#include "common/checks.h"
#include "common/launch.h"
#include "common/rows.h"
#include "core/cosine_series.h"
#include "lowrank/features.h"

namespace lpdm::cuda {

namespace {

constexpr int kColumns = 32;  // of a block
constexpr int kRowsAside = 8;
constexpr std::int64_t kRowsPerBlock = 1024;

struct Range {
  unsigned low_complement;  // ~key of the least value, so that zero bytes are a start for both
  unsigned high;            // key of the largest
};

__device__ unsigned ordered_key(float value) {
  const unsigned bits = __float_as_uint(value);
  return (bits & 0x80000000U) != 0 ? ~bits : bits | 0x80000000U;
}

__device__ float value_of_key(unsigned key) {
  return __uint_as_float((key & 0x80000000U) != 0 ? key & 0x7FFFFFFFU : ~key);
}

__global__ void column_ranges_kernel(Rows rows, const float* values, std::int64_t dim,
                                     Range* ranges) {
  const std::int64_t d = static_cast<std::int64_t>(blockIdx.y) * kColumns + threadIdx.x;
  const std::int64_t first = static_cast<std::int64_t>(blockIdx.x) * kRowsPerBlock;
  const std::int64_t end = min(first + kRowsPerBlock, *rows.count);
  if (d >= dim || first + threadIdx.y >= end) return;
  unsigned low = 0, high = 0;
  for (std::int64_t row = first + threadIdx.y; row < end; row += kRowsAside) {
    const unsigned key = ordered_key(values[row * dim + d]);
    low = max(low, ~key);
    high = max(high, key);
  }
  atomicMax(&ranges[d].low_complement, low);
  atomicMax(&ranges[d].high, high);
}

// By one block.
__global__ void fit_columns_kernel(const Range* ranges, std::int64_t dim, std::int64_t terms,
                                   FeatureColumn* columns, FeatureTotals* totals) {
  constexpr float kPi = std::numbers::pi_v<float>;
  double sum = 0.0;
  for (std::int64_t d = threadIdx.x; d < dim; d += kBlockThreads) {
    const float low = value_of_key(~ranges[d].low_complement);
    const float range = value_of_key(ranges[d].high) - low;
    const bool constant = range < kLeastSeriesRange;
    const float half = half_period(range, terms);
    columns[d] = constant ? FeatureColumn{low, 0.0F, 0.0F}
                          : FeatureColumn{low, kPi / half, 2.0F * sqrtf(half) / kPi};
    sum += constant ? 0.0 : static_cast<double>(half);
  }
  sum = block_sum(sum);
  if (threadIdx.x != 0) return;
  double weights = 0.0;  // Σ 1/k²; π²/8 if it went on
  for (std::int64_t k = 1; k < 2 * terms; k += 2) weights += 1.0 / static_cast<double>(k * k);
  constexpr double kPiSquared = std::numbers::pi * std::numbers::pi;
  *totals = {sum / 2.0, sum * (0.5 - 4.0 / kPiSquared * weights)};
}

// Each frequency from the one before, by a rotation by twice the angle.
__global__ void write_features_kernel(Rows rows, Features features, std::int64_t first_row,
                                      std::int64_t block_rows, std::int64_t stride, float* to) {
  for_chunk_items(block_rows * features.dim, [&](std::int64_t k) {
    const std::int64_t row = first_row + k / features.dim;
    const std::int64_t d = k % features.dim;
    const bool real = row < *rows.count;
    const FeatureColumn column = features.columns[d];
    const float value = real ? features.values[row * features.dim + d] : column.origin;
    const float angle = (value - column.origin) * column.frequency;
    const float amplitude = real ? column.amplitude : 0.0F;
    const float c = cosf(angle), s = sinf(angle);
    const float turn_c = 1.0F - 2.0F * s * s, turn_s = 2.0F * s * c;
    float even = amplitude * c, odd = amplitude * s;
    float* at = to + k / features.dim * stride + d;
    for (std::int64_t term = 0; term < features.terms; ++term) {
      if (term > 0) {
        const float ratio = static_cast<float>(2 * term - 1) / static_cast<float>(2 * term + 1);
        const float next = ratio * (even * turn_c - odd * turn_s);
        odd = ratio * (odd * turn_c + even * turn_s);
        even = next;
      }
      at[2 * term * features.dim] = even;
      at[(2 * term + 1) * features.dim] = odd;
    }
  });
}

}  // namespace

Features fit_features(Context& context, const Rows& rows, const float* values, std::int64_t dim,
                      std::int64_t terms) {
  auto* ranges = context.scratch<Range>(dim);
  auto* columns = context.scratch<FeatureColumn>(dim);
  auto* totals = context.scratch<FeatureTotals>(1);
  check(cudaMemsetAsync(ranges, 0, static_cast<std::size_t>(dim) * sizeof(Range), context.stream),
        "clearing memory");
  launch(column_ranges_kernel,
         {.grid = dim3(static_cast<unsigned>(ceil_div(rows.capacity, kRowsPerBlock)),
                       static_cast<unsigned>(ceil_div(dim, kColumns))),
          .block = dim3(kColumns, kRowsAside)},
         context.stream, rows, values, dim, ranges);
  launch(fit_columns_kernel, {.grid = dim3(1), .block = dim3(kBlockThreads)}, context.stream,
         ranges, dim, terms, columns, totals);
  return {values, dim, terms, columns, totals};
}

void write_features(Context& context, const Rows& rows, const Features& features,
                    std::int64_t first_row, std::int64_t block_rows, std::int64_t stride,
                    float* to) {
  launch(write_features_kernel, chunk_shape(block_rows * features.dim), context.stream, rows,
         features, first_row, block_rows, stride, to);
}

}  // namespace lpdm::cuda
