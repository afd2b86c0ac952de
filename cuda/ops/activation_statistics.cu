#include "common/rows.h"
#include "ops/activation_statistics.h"

namespace lpdm::cuda {

namespace {

constexpr unsigned kBlocks = 256;

// partial: (2, blocks), sums of |y| and numbers of saturated units
__global__ void magnitude_kernel(ActivationStatistics op, double* partial) {
  constexpr float kSaturation = 0.99F;
  const std::int64_t size = *op.rows.count * op.out;
  const std::int64_t stride = static_cast<std::int64_t>(gridDim.x) * kBlockThreads;
  double sum = 0.0;
  double saturated = 0.0;
  for (std::int64_t k = static_cast<std::int64_t>(blockIdx.x) * kBlockThreads + threadIdx.x;
       k < size; k += stride) {
    const float magnitude = fabsf(op.output[k]);
    sum += magnitude;
    saturated += magnitude > kSaturation ? 1.0 : 0.0;
  }
  sum = block_sum(sum);
  saturated = block_sum(saturated);
  if (threadIdx.x != 0) return;
  partial[blockIdx.x] = sum;
  partial[gridDim.x + blockIdx.x] = saturated;
}

__global__ void summary_kernel(ActivationStatistics op, const double* partial) {
  const double sum = sum_partials(partial, kBlocks);
  const double saturated = sum_partials(partial + kBlocks, kBlocks);
  if (threadIdx.x != 0) return;
  const auto size = static_cast<double>(*op.rows.count * op.out);
  op.summary->mean_abs = sum / size;
  op.summary->saturated = saturated / size;
}

}  // namespace

void activation_statistics(Context& context, const ActivationStatistics& op) {
  auto* partial = context.scratch<double>(2 * kBlocks);
  launch(magnitude_kernel, {.grid = dim3(kBlocks), .block = dim3(kBlockThreads)}, context.stream,
         op, partial);
  launch(summary_kernel, {.grid = dim3(1), .block = dim3(kBlockThreads)}, context.stream, op,
         partial);
}

}  // namespace lpdm::cuda
