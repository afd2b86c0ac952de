#include "common/rows.h"
#include "common/standardize.h"

namespace lpdm::cuda {

namespace {

__global__ void sum_kernel(const std::int64_t* rows, const float* values, double* partial) {
  double sum = 0.0;
  for_chunk_items(*rows, [&](std::int64_t i) { sum += values[i]; });
  sum = block_sum(sum);
  if (threadIdx.x == 0) partial[blockIdx.x] = sum;
}

__global__ void square_kernel(const std::int64_t* rows, const float* values, const double* partial,
                              double* squares) {
  const double mean = sum_partials(partial, gridDim.x) / static_cast<double>(*rows);
  double sum = 0.0;
  for_chunk_items(*rows, [&](std::int64_t i) { sum += (values[i] - mean) * (values[i] - mean); });
  sum = block_sum(sum);
  if (threadIdx.x == 0) squares[blockIdx.x] = sum;
}

__global__ void scale_kernel(const std::int64_t* rows, const double* partial, const double* squares,
                             float* values) {
  constexpr double kStdEpsilon = 1e-8;
  const auto count = static_cast<double>(*rows);
  const double mean = sum_partials(partial, gridDim.x) / count;
  const double variance = sum_partials(squares, gridDim.x) / count;
  const double scale = 1.0 / (sqrt(variance) + kStdEpsilon);
  for_chunk_items(
      *rows, [&](std::int64_t i) { values[i] = static_cast<float>((values[i] - mean) * scale); });
}

}  // namespace

void standardize(Context& context, const Rows& rows, float* values) {
  const LaunchShape shape = chunk_shape(rows.capacity);
  auto* partial = context.scratch<double>(shape.grid.x);
  auto* squares = context.scratch<double>(shape.grid.x);
  launch(sum_kernel, shape, context.stream, rows.count, values, partial);
  launch(square_kernel, shape, context.stream, rows.count, values, partial, squares);
  launch(scale_kernel, shape, context.stream, rows.count, partial, squares, values);
}

}  // namespace lpdm::cuda
