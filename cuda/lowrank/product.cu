#include "common/checks.h"
#include "common/launch.h"
#include "common/rows.h"
#include "lowrank/product.h"

namespace lpdm::cuda {

namespace {

// T = constant + shift (g_i + g_j) − input Fx_i · Fx_j; E likewise, + output F_i · F_j.
struct SeriesWeights {
  double constant, shift, input, output;
};

__device__ SeriesWeights target_weights(const FeatureMatrix& matrix, const TargetScales& scales) {
  const double input = scales.input_scale * scales.target_scale;
  return {input * matrix.input.totals->offset, matrix.shift != nullptr ? scales.target_scale : 0.0,
          input, 0.0};
}

__global__ void write_fixed_columns_kernel(FeatureMatrix matrix, std::int64_t first_row,
                                           std::int64_t block_rows, float* block) {
  for_chunk_items(block_rows, [&](std::int64_t k) {
    const bool real = first_row + k < *matrix.rows.count;
    float* row = block + k * matrix.columns();
    row[0] = real ? 1.0F : 0.0F;
    row[1] = real && matrix.shift != nullptr ? matrix.shift[first_row + k] : 0.0F;
  });
}

__global__ void add_product_kernel(const float* part, std::int64_t size, double* product) {
  for_chunk_items(size, [&](std::int64_t k) { product[k] += part[k]; });
}

// Σ M[i][j]² of a row i over the input's and over the output's columns: partial[i], partial[i + K].
__global__ void row_squares_kernel(FeatureMatrix matrix, const double* product, double* partial) {
  const std::int64_t columns = matrix.columns();
  const double* row = product + blockIdx.x * columns;
  double input = 0.0, output = 0.0;
  for (std::int64_t j = kInputBegin + threadIdx.x; j < columns; j += kBlockThreads) {
    (j < matrix.outputs_begin() ? input : output) += row[j] * row[j];
  }
  input = block_sum(input);
  output = block_sum(output);
  if (threadIdx.x != 0) return;
  partial[blockIdx.x] = input;
  partial[blockIdx.x + columns] = output;
}

__device__ double sum_range(const double* values, std::int64_t begin, std::int64_t end) {
  double sum = 0.0;
  for (std::int64_t k = begin + threadIdx.x; k < end; k += kBlockThreads) sum += values[k];
  return block_sum(sum);
}

// Σ_k M[0][k] M[row][k]: Σ_ij of the features' inner products, plain (row 0) or with g_i (row 1).
__device__ double inner(const double* product, std::int64_t columns, std::int64_t row,
                        std::int64_t begin, std::int64_t end) {
  double sum = 0.0;
  for (std::int64_t k = begin + threadIdx.x; k < end; k += kBlockThreads) {
    sum += product[k] * product[row * columns + k];
  }
  return block_sum(sum);
}

// The series gives the distance of a row from itself as one number instead of 0.
__device__ void remove_diagonal(const FeatureMatrix& matrix, const SeriesWeights& t, double n,
                                double sum_of_g, PairSums& sums) {
  const double shifts = 2.0 * t.shift * sum_of_g;  // Σ T_ii
  const double x = t.input * matrix.input.totals->diagonal;
  const double y = matrix.output.totals->diagonal;
  sums.target -= n * x;
  sums.target_squared -= n * x * x + 2.0 * x * shifts;
  sums.distance -= n * y;
  sums.distance_squared -= n * y * y;
  sums.target_distance -= y * (n * x + shifts);
}

// By one block.
__global__ void sum_series_kernel(FeatureMatrix matrix, const double* product,
                                  const double* squares, const TargetScales* scales,
                                  LayerOptions options, LayerState* state) {
  const std::int64_t columns = matrix.columns(), middle = matrix.outputs_begin();
  const double xx = inner(product, columns, 0, kInputBegin, middle);
  const double yy = inner(product, columns, 0, middle, columns);
  const double gxx = inner(product, columns, 1, kInputBegin, middle);
  const double gyy = inner(product, columns, 1, middle, columns);
  const double squares_xx = sum_range(squares, kInputBegin, middle);
  const double squares_xy = sum_range(squares + columns, kInputBegin, middle);
  const double squares_yy = sum_range(squares + columns, middle, columns);
  if (threadIdx.x != 0) return;
  const SeriesWeights t = target_weights(matrix, *scales);
  const double c = matrix.output.totals->offset;
  const auto n = static_cast<double>(*matrix.rows.count);
  const double g = product[1], gg = product[columns + 1];
  const double r_xx = t.constant * xx + 2.0 * t.shift * gxx;
  const double r_yy = t.constant * yy + 2.0 * t.shift * gyy;
  const double r = t.constant * n * n + 2.0 * t.shift * n * g;
  const double rr = t.constant * t.constant * n * n + 4.0 * t.constant * t.shift * n * g +
                    2.0 * t.shift * t.shift * (n * gg + g * g);
  PairSums sums;
  sums.entries = n * n;
  sums.target = r - t.input * xx;
  sums.target_squared = rr - 2.0 * t.input * r_xx + t.input * t.input * squares_xx;
  sums.distance = c * n * n - yy;
  sums.distance_squared = c * c * n * n - 2.0 * c * yy + squares_yy;
  sums.target_distance = c * r - r_yy - t.input * (c * xx - squares_xy);
  remove_diagonal(matrix, t, n, g, sums);
  state->sums = sums;
  derive_error_sums(options, *state);
}

__global__ void credit_matrix_kernel(FeatureMatrix matrix, const double* product,
                                     const TargetScales* scales, LayerOptions options,
                                     const LayerState* state, float* credit) {
  const std::int64_t columns = matrix.columns(), begin = matrix.outputs_begin();
  const std::int64_t width = matrix.output.count();
  const SeriesWeights t = target_weights(matrix, *scales);
  const double s = options.target_weight;
  const double distance = ratio_or_zero(options.output_weight, maximum_of(*state));
  const SeriesWeights error{s * t.constant - distance * matrix.output.totals->offset, s * t.shift,
                            s * t.input, distance};
  for_chunk_items(columns * width, [&](std::int64_t k) {
    const std::int64_t row = k / width, column = begin + k % width;
    double value = (row < begin ? -error.input : error.output) * product[row * columns + column];
    if (row == 0) {
      value = error.constant * product[column] + error.shift * product[columns + column];
    }
    if (row == 1) value = error.shift * product[column];
    credit[k] = static_cast<float>(value);
  });
}

}  // namespace

void write_block(Context& context, const FeatureMatrix& matrix, std::int64_t first_row,
                 float* block) {
  launch(write_fixed_columns_kernel, chunk_shape(matrix.block_rows()), context.stream, matrix,
         first_row, matrix.block_rows(), block);
  write_features(context, matrix.rows, matrix.input, first_row, matrix.block_rows(),
                 matrix.columns(), block + kInputBegin);
  write_features(context, matrix.rows, matrix.output, first_row, matrix.block_rows(),
                 matrix.columns(), block + matrix.outputs_begin());
}

const double* form_product(Context& context, const FeatureMatrix& matrix, float* block) {
  const std::int64_t size = matrix.columns() * matrix.columns();
  auto* product = context.scratch<double>(size);
  auto* part = context.scratch<float>(size);
  check(
      cudaMemsetAsync(product, 0, static_cast<std::size_t>(size) * sizeof(double), context.stream),
      "clearing memory");
  const auto columns = static_cast<int>(matrix.columns());
  constexpr float kOne = 1.0F, kZero = 0.0F;
  for (std::int64_t row = 0; row < matrix.rows.capacity; row += matrix.block_rows()) {
    write_block(context, matrix, row, block);
    check(cublasSgemm(context.blas(), CUBLAS_OP_N, CUBLAS_OP_T, columns, columns,
                      static_cast<int>(matrix.block_rows()), &kOne, block, columns, block, columns,
                      &kZero, part, columns),
          "a product of features");
    launch(add_product_kernel, chunk_shape(size), context.stream, part, size, product);
  }
  return product;
}

void sum_series(Context& context, const FeatureMatrix& matrix, const double* product,
                const TargetScales* scales, const LayerOptions& options, LayerState* state) {
  auto* squares = context.scratch<double>(2 * matrix.columns());
  launch(row_squares_kernel,
         {.grid = dim3(static_cast<unsigned>(matrix.columns())), .block = dim3(kBlockThreads)},
         context.stream, matrix, product, squares);
  launch(sum_series_kernel, {.grid = dim3(1), .block = dim3(kBlockThreads)}, context.stream, matrix,
         product, squares, scales, options, state);
}

const float* form_credit_matrix(Context& context, const FeatureMatrix& matrix,
                                const double* product, const TargetScales* scales,
                                const LayerOptions& options, const LayerState* state) {
  const std::int64_t size = matrix.columns() * matrix.output.count();
  auto* credit = context.scratch<float>(size);
  launch(credit_matrix_kernel, chunk_shape(size), context.stream, matrix, product, scales, options,
         state, credit);
  return credit;
}

}  // namespace lpdm::cuda
