#include "pairs/pack_rows.h"
#include "pairs/pack_tile.cuh"
#include "pairs/target_tile.cuh"

namespace lpdm::cuda {

namespace {

template <class Numbers>
__global__ void pack_rows_kernel(PairSide side, const float* values, std::int64_t dim,
                                 PackedRows rows, std::uint32_t* to) {
  const std::int64_t count = *side.count;
  pack_tile<Numbers>(rows, to, [&](std::int64_t row, std::int64_t d) {
    return row < count && d < dim ? values[batch_row(side, row) * dim + d] : 0.0F;
  });
}

}  // namespace

PackedRows pack_rows(Context& context, const PairSide& side, const float* values, std::int64_t dim,
                     Metric metric, Arithmetic arithmetic) {
  const Arithmetic of_words = metric == Metric::kL1 ? arithmetic : Arithmetic::kFp32;
  PackedRows rows = packed_shape(dim, side.capacity, of_words);
  auto* words = context.scratch<std::uint32_t>(packed_words(rows));
  rows.words = words;
  dispatch_packing(of_words, [&](auto numbers) {
    launch(pack_rows_kernel<typename decltype(numbers)::type>, pack_shape(rows), context.stream,
           side, values, dim, rows, words);
  });
  return rows;
}

}  // namespace lpdm::cuda
