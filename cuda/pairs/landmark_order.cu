#include "common/intrinsics.h"
#include "common/launch.h"
#include "common/rows.h"
#include "pairs/landmark_order.h"
#include "pairs/pair_tile.cuh"
#include "pairs/sort_keys.cuh"
#include "pairs/target_tile.cuh"

namespace lpdm::cuda {

namespace {

constexpr int kDims = 32;           // that a block places rows in: one for each lane of a warp
constexpr int kRowsPerBlock = 256;  // enough to be worth a table of the landmarks

// Block d sorts the landmarks' keys of dimension d. sorted: (landmarks, width), by dimension.
__global__ void sort_landmarks_kernel(PairSide landmarks, const float* values, std::int64_t dim,
                                      int size, std::int64_t width, std::uint32_t* sorted) {
  auto* keys = dynamic_shared<std::uint32_t>();
  const std::int64_t d = blockIdx.x;
  const auto count = static_cast<int>(*landmarks.count);
  for (int k = static_cast<int>(threadIdx.x); k < size; k += kBlockThreads) {
    keys[k] = k < count ? sort_key(values[landmarks.index[k] * dim + d]) : kPastAll;
  }
  sort_in_block(keys, size);
  for (int k = static_cast<int>(threadIdx.x); k < count; k += kBlockThreads) {
    sorted[k * width + d] = keys[k];
  }
}

// Block: (kDims, kBlockThreads / kDims) threads; grid: blocks of rows × blocks of dimensions.
__global__ void place_rows_kernel(PairSide batch, PairSide landmarks, const float* values,
                                  std::int64_t dim, std::int64_t stride,
                                  const std::uint32_t* sorted, std::int64_t width, float* order) {
  auto* table = dynamic_shared<std::uint32_t>();  // (landmarks, kDims)
  const std::int64_t count = *landmarks.count;
  const std::int64_t rows = *batch.count;
  const int lane = static_cast<int>(threadIdx.x);
  const std::int64_t d = static_cast<std::int64_t>(blockIdx.y) * kDims + lane;
  for (std::int64_t k = threadIdx.y; k < count; k += blockDim.y) {
    table[k * kDims + lane] = d < dim ? sorted[k * width + d] : kPastAll;
  }
  __syncthreads();
  const std::int64_t first = static_cast<std::int64_t>(blockIdx.x) * kRowsPerBlock;
  for (std::int64_t row = first + threadIdx.y; row < first + kRowsPerBlock && row < stride;
       row += blockDim.y) {
    float place = 0.0F;
    if (row < rows && d < dim) {
      const std::uint32_t key = sort_key(values[row * dim + d]);
      const std::int64_t below = rank_of(table + lane, kDims, count, key);
      const bool equal = below < count && table[below * kDims + lane] == key;
      place = static_cast<float>(2 * below + (equal ? 1 : 0));
    }
    order[row * width + d] = place;
  }
}

}  // namespace

OrderedRows order_among_landmarks(Context& context, const PairSide& batch,
                                  const PairSide& landmarks, const float* values,
                                  std::int64_t dim) {
  const std::int64_t stride = ceil_div(batch.capacity, kTileColumns) * kTileColumns;
  const std::int64_t width = ceil_div(dim, kOrderWidth) * kOrderWidth;
  auto* sorted = context.scratch<std::uint32_t>(landmarks.capacity * width);
  auto* order = context.scratch<float>(stride * width);
  const std::int64_t size = sort_size(landmarks.capacity);
  launch(sort_landmarks_kernel,
         {.grid = dim3(static_cast<unsigned>(dim)),
          .block = dim3(kBlockThreads),
          .shared_bytes = static_cast<std::size_t>(size) * sizeof(std::uint32_t)},
         context.stream, landmarks, values, dim, static_cast<int>(size), width, sorted);
  launch(place_rows_kernel,
         {.grid = dim3(static_cast<unsigned>(ceil_div(stride, kRowsPerBlock)),
                       static_cast<unsigned>(width / kDims)),
          .block = dim3(kDims, kBlockThreads / kDims),
          .shared_bytes = static_cast<std::size_t>(landmarks.capacity * kDims) * sizeof(float)},
         context.stream, batch, landmarks, values, dim, stride, sorted, width, order);
  return {order, width};
}

}  // namespace lpdm::cuda
