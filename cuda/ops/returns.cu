// R_i = r_i + discount · R_{i+1} within an episode, as a scan of affine maps from the last row on:
// position q is row N − 1 − q, a thread's positions are consecutive.
#include "common/recurrence.h"
#include "common/rows.h"
#include "common/standardize.h"
#include "ops/returns.h"

namespace lpdm::cuda {

namespace {

// The episode that ends with `row`, or −1.
__device__ std::int64_t ending_episode(const DiscountedReturns& op, std::int64_t row) {
  std::int64_t low = 0;
  std::int64_t high = *op.episode_count;
  while (low < high) {  // the first episode that ends after `row`
    const std::int64_t middle = (low + high) / 2;
    if (op.episode_ends[middle] > row) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return op.episode_ends[low] == row + 1 ? low : -1;
}

__device__ Affine step_at(const DiscountedReturns& op, std::int64_t rows, std::int64_t q) {
  const std::int64_t row = rows - 1 - q;
  const std::int64_t episode = ending_episode(op, row);
  if (episode < 0) return {op.discount, op.rewards[row]};
  const bool goes_on = op.values != nullptr && op.bootstrap[episode] != 0;
  const double after = goes_on ? op.values[rows + episode] : 0.0;
  return {0.0, op.rewards[row] + op.discount * after};
}

__device__ std::int64_t first_position() {
  return static_cast<std::int64_t>(blockIdx.x) * kChunk +
         std::int64_t{threadIdx.x} * kItemsPerThread;
}

// All steps of this thread as one.
__device__ Affine own_steps(const DiscountedReturns& op, std::int64_t rows) {
  Affine all;
  const std::int64_t first = first_position();
  for (std::int64_t q = first; q < first + kItemsPerThread && q < rows; ++q) {
    all = Then{}(all, step_at(op, rows, q));
  }
  return all;
}

__global__ void chunk_kernel(DiscountedReturns op, Affine* chunks) {
  const Affine all = block_reduce(own_steps(op, *op.rows.count), Then{});
  if (threadIdx.x == 0) chunks[blockIdx.x] = all;
}

// What comes into this block's chunk: thread t combines a run of the chunks before it.
__device__ double carry(const Affine* chunks) {
  const unsigned each = (blockIdx.x + kBlockThreads - 1) / kBlockThreads;
  Affine mine;
  for (unsigned c = threadIdx.x * each; c < (threadIdx.x + 1) * each && c < blockIdx.x; ++c) {
    mine = Then{}(mine, chunks[c]);
  }
  return block_reduce(mine, Then{})(0.0);
}

__global__ void return_kernel(DiscountedReturns op, const Affine* chunks) {
  const std::int64_t rows = *op.rows.count;
  const double before = carry(chunks);
  double value = block_scan_before(own_steps(op, rows), Affine{}, Then{})(before);
  const std::int64_t first = first_position();
  for (std::int64_t q = first; q < first + kItemsPerThread && q < rows; ++q) {
    value = step_at(op, rows, q)(value);
    op.returns[rows - 1 - q] = static_cast<float>(value);
  }
}

}  // namespace

void discounted_returns(Context& context, const DiscountedReturns& op) {
  const LaunchShape shape = chunk_shape(op.rows.capacity);
  auto* chunks = context.scratch<Affine>(shape.grid.x);
  launch(chunk_kernel, shape, context.stream, op, chunks);
  launch(return_kernel, shape, context.stream, op, chunks);
  if (op.normalize) standardize(context, op.rows, op.returns);
}

}  // namespace lpdm::cuda
