#include "common/launch.h"
#include "common/rows.h"
#include "pairs/pack_rows.h"
#include "pairs/pair_arithmetic.cuh"
#include "pairs/pair_tile.cuh"
#include "pairs/target_tile.cuh"

namespace lpdm::cuda {

namespace {

constexpr int kSide = 32;  // words, and rows, that a block turns over
constexpr int kRowsAtOnce = 8;

// Block: (kSide, kRowsAtOnce) threads; grid: row tiles × word tiles.
template <class Numbers>
__global__ void pack_rows_kernel(PairSide side, const float* values, std::int64_t dim,
                                 std::uint32_t* words, std::int64_t stride, int depth) {
  __shared__ std::uint32_t tile[kSide][kSide + 1];  // one more against bank conflicts
  const std::int64_t first_row = static_cast<std::int64_t>(blockIdx.x) * kSide;
  const int first_word = static_cast<int>(blockIdx.y) * kSide;
  const std::int64_t count = *side.count;
  const int x = static_cast<int>(threadIdx.x);
  for (int y = static_cast<int>(threadIdx.y); y < kSide; y += kRowsAtOnce) {
    const std::int64_t row = first_row + y;
    const std::int64_t dimension = std::int64_t{first_word + x} * Numbers::kValuesPerWord;
    float first = 0.0F, second = 0.0F;
    if (row < count) {
      const float* from = values + batch_row(side, row) * dim;
      if (dimension < dim) first = from[dimension];
      if (Numbers::kValuesPerWord > 1 && dimension + 1 < dim) second = from[dimension + 1];
    }
    tile[y][x] = Numbers::pack(first, second);
  }
  __syncthreads();
  for (int y = static_cast<int>(threadIdx.y); y < kSide; y += kRowsAtOnce) {
    if (first_word + y < depth) words[(first_word + y) * stride + first_row + x] = tile[x][y];
  }
}

template <class Numbers>
PackedRows pack(Context& context, const PairSide& side, const float* values, std::int64_t dim) {
  const std::int64_t depth = ceil_div(dim, Numbers::kValuesPerWord);
  const std::int64_t padded = ceil_div(depth, kWordStep) * kWordStep;
  const std::int64_t stride = ceil_div(side.capacity, kTileColumns) * kTileColumns;
  auto* words = context.scratch<std::uint32_t>(padded * stride);
  launch(pack_rows_kernel<Numbers>,
         {.grid = dim3(static_cast<unsigned>(stride / kSide),
                       static_cast<unsigned>(ceil_div(padded, kSide))),
          .block = dim3(kSide, kRowsAtOnce)},
         context.stream, side, values, dim, words, stride, static_cast<int>(padded));
  return {words, stride, static_cast<std::int32_t>(depth)};
}

}  // namespace

PackedRows pack_rows(Context& context, const PairSide& side, const float* values, std::int64_t dim,
                     Metric metric, Arithmetic arithmetic) {
  if (metric == Metric::kL1 && arithmetic == Arithmetic::kFixed) {
    return pack<Fixed>(context, side, values, dim);
  }
  if (metric == Metric::kL1 && arithmetic == Arithmetic::kHalf2) {
    return pack<Half2>(context, side, values, dim);
  }
  return pack<Fp32L1>(context, side, values, dim);
}

}  // namespace lpdm::cuda
