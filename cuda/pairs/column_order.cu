// A value's rank is the number of smaller values in its dimension. Batches that fit into a block's
// shared memory are sorted there, a dimension by each block; larger ones by device-wide sorts.
#include "common/intrinsics.h"
#include "common/launch.h"
#include "common/rows.h"
#include "common/segmented_sort.h"
#include "pairs/column_order.h"
#include "pairs/pair_tile.cuh"
#include "pairs/sort_keys.cuh"
#include "pairs/target_tile.cuh"

namespace lpdm::cuda {

namespace {

constexpr std::int64_t kMostInBlock = 8192;  // 32 KiB of keys
// One block per dimension of the padded width.
__global__ void rank_in_block_kernel(PairSide batch, const float* values, std::int64_t dim,
                                     std::int64_t stride, OrderedRows order, float* ranks) {
  auto* keys = dynamic_shared<std::uint32_t>();
  const std::int64_t d = blockIdx.x;
  const auto count = static_cast<int>(*batch.count);
  int size = 1;
  while (size < count) size *= 2;
  const bool padding = d >= dim;
  if (!padding) {
    for (int k = static_cast<int>(threadIdx.x); k < size; k += kBlockThreads) {
      keys[k] = k < count ? sort_key(values[k * dim + d]) : kPastAll;
    }
    sort_in_block(keys, size);
  }
  for (std::int64_t row = threadIdx.x; row < stride; row += kBlockThreads) {
    const bool real = !padding && row < count;
    ranks[row * order.width + d] =
        real ? static_cast<float>(rank_of(keys, 1, count, sort_key(values[row * dim + d]))) : 0.0F;
  }
}

// keys (dim, stride): one thread per row, a block row per dimension.
__global__ void keys_kernel(PairSide batch, const float* values, std::int64_t dim,
                            std::int64_t stride, std::uint32_t* keys, std::int64_t* begins,
                            std::int64_t* ends) {
  const std::int64_t d = blockIdx.y;
  const std::int64_t row = static_cast<std::int64_t>(blockIdx.x) * kBlockThreads + threadIdx.x;
  const std::int64_t count = *batch.count;
  if (row < count) keys[d * stride + row] = sort_key(values[row * dim + d]);
  if (row == 0) {
    begins[d] = d * stride;
    ends[d] = d * stride + count;
  }
}

__global__ void ranks_kernel(PairSide batch, const float* values, std::int64_t dim,
                             std::int64_t stride, const std::uint32_t* sorted, OrderedRows order,
                             float* ranks) {
  for_chunk_items(stride * order.width, [&](std::int64_t k) {
    const std::int64_t row = k / order.width;
    const std::int64_t d = k % order.width;
    const bool real = row < *batch.count && d < dim;
    ranks[k] = real ? static_cast<float>(rank_of(sorted + d * stride, 1, *batch.count,
                                                 sort_key(values[row * dim + d])))
                    : 0.0F;
  });
}

__global__ void copy_values_kernel(PairSide batch, const float* values, std::int64_t dim,
                                   std::int64_t stride, OrderedRows order, float* to) {
  for_chunk_items(stride * order.width, [&](std::int64_t k) {
    const std::int64_t row = k / order.width;
    const std::int64_t d = k % order.width;
    to[k] = row < *batch.count && d < dim ? values[row * dim + d] : 0.0F;
  });
}

__global__ void gather_order_kernel(PairSide side, const float* from, std::int64_t stride,
                                    OrderedRows order, float* to) {
  for_chunk_items(stride * order.width, [&](std::int64_t k) {
    const std::int64_t row = k / order.width;
    to[k] = row < *side.count ? from[batch_row(side, row) * order.width + k % order.width] : 0.0F;
  });
}

void rank_by_device_sort(Context& context, const PairSide& batch, const float* values,
                         std::int64_t dim, std::int64_t stride, const OrderedRows& order,
                         float* ranks) {
  auto* keys = context.scratch<std::uint32_t>(dim * stride);
  auto* sorted = context.scratch<std::uint32_t>(dim * stride);
  auto* begins = context.scratch<std::int64_t>(dim);
  auto* ends = context.scratch<std::int64_t>(dim);
  launch(keys_kernel,
         {.grid = dim3(static_cast<unsigned>(ceil_div(batch.capacity, kBlockThreads)),
                       static_cast<unsigned>(dim)),
          .block = dim3(kBlockThreads)},
         context.stream, batch, values, dim, stride, keys, begins, ends);
  sort_segments(context, keys, sorted, dim, stride, begins, ends);
  launch(ranks_kernel, chunk_shape(stride * order.width), context.stream, batch, values, dim,
         stride, sorted, order, ranks);
}

}  // namespace

OrderedRows order_columns(Context& context, const PairSide& batch, const float* values,
                          std::int64_t dim, Metric metric) {
  const std::int64_t stride = ceil_div(batch.capacity, kTileColumns) * kTileColumns;
  OrderedRows order{nullptr, ceil_div(dim, kOrderWidth) * kOrderWidth};
  auto* to = context.scratch<float>(stride * order.width);
  order.values = to;
  if (metric == Metric::kL2) {
    launch(copy_values_kernel, chunk_shape(stride * order.width), context.stream, batch, values,
           dim, stride, order, to);
  } else if (batch.capacity > kMostInBlock) {
    rank_by_device_sort(context, batch, values, dim, stride, order, to);
  } else {
    const std::int64_t keys = sort_size(batch.capacity);
    launch(rank_in_block_kernel,
           {.grid = dim3(static_cast<unsigned>(order.width)),
            .block = dim3(kBlockThreads),
            .shared_bytes = static_cast<std::size_t>(keys) * sizeof(std::uint32_t)},
           context.stream, batch, values, dim, stride, order, to);
  }
  return order;
}

OrderedRows gather_order(Context& context, const PairSide& side, const OrderedRows& all) {
  const std::int64_t stride = ceil_div(side.capacity, kTileColumns) * kTileColumns;
  auto* to = context.scratch<float>(stride * all.width);
  const OrderedRows order{to, all.width};
  launch(gather_order_kernel, chunk_shape(stride * order.width), context.stream, side, all.values,
         stride, order, to);
  return order;
}

}  // namespace lpdm::cuda
