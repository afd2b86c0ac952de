#include <algorithm>
#include <limits>

#include "common/activation.h"
#include "common/checks.h"
#include "common/fork.h"
#include "common/rows.h"
#include "lpdm/error.h"
#include "ops/dense.h"
#include "pairs/layer_weights.h"
#include "pairs/pack_tile.cuh"
#include "pairs/packed_outputs.h"

namespace lpdm::cuda {

namespace {

// Row-major matrices are the transposes of cuBLAS's column-major ones; the products below are
// written for the transposes.
constexpr float kOne = 1.0F;
constexpr float kZero = 0.0F;

int blas_size(std::int64_t size) {
  if (size > std::numeric_limits<int>::max()) {
    throw Error("a matrix of " + std::to_string(size) +
                " rows was given to cuBLAS, which takes 2147483647; make updates smaller");
  }
  return static_cast<int>(size);
}

// output holds input weightᵀ
__global__ void bias_activation_kernel(DenseForward op) {
  const std::int64_t used = *op.rows.count * op.out;
  for_chunk_items(op.rows.capacity * op.out, [&](std::int64_t k) {
    op.output[k] = k < used ? activate(op.activation, op.output[k] + op.bias[k % op.out]) : 0.0F;
  });
}

// The same, with a packed copy for the local loss that follows.
template <class Numbers>
__global__ void packing_bias_activation_kernel(DenseForward op, PackedRows packed,
                                               std::uint32_t* words) {
  const std::int64_t used = *op.rows.count;
  pack_tile<Numbers>(packed, words, [&](std::int64_t row, std::int64_t o) {
    if (row >= op.rows.capacity || o >= op.out) return 0.0F;
    float& output = op.output[row * op.out + o];
    output = row < used ? activate(op.activation, output + op.bias[o]) : 0.0F;
    return output;
  });
}

// input_delta holds delta weight
__global__ void through_activation_kernel(DenseInputGradient op) {
  const std::int64_t used = *op.rows.count * op.in;
  for_chunk_items(op.rows.capacity * op.in, [&](std::int64_t k) {
    float delta = 0.0F;
    if (k < used) {
      delta = op.input_delta[k];
      if (op.value_delta != nullptr) {
        const auto scaled = static_cast<float>(op.value_scale * op.value_delta[k / op.in]);
        delta = fmaf(scaled, op.value_weight[k % op.in], delta);
      }
      delta *= activation_slope(op.activation, op.input[k]);
    }
    op.input_delta[k] = delta;
  });
}

// A weight gradient is a short and wide product: rows are cut into splits whose products run side
// by side and are added up in order, in float64.
struct Splits {
  std::int64_t rows = 0;  // of each but the last
  std::int64_t count = 0;
};

Splits splits_of(std::int64_t capacity) {
  constexpr std::int64_t kFewestRows = 256;  // fewer are not worth a product
  constexpr std::int64_t kMost = 64;         // bounds the memory that their products take
  const std::int64_t rows = std::max(kFewestRows, ceil_div(capacity, kMost));
  return {rows, ceil_div(capacity, rows)};
}

constexpr int kColumns = 32;  // of delta that a block sums; the rest of its threads share the rows

// Block (columns, split): float64 sums of the split's rows. sums: (splits, out)
__global__ void column_sums_kernel(DenseGradient op, std::int64_t split_rows, double* sums) {
  constexpr int kLanes = kBlockThreads / kColumns;
  __shared__ double partial[kLanes][kColumns];
  const int lane = static_cast<int>(threadIdx.x) / kColumns;
  const int column = static_cast<int>(threadIdx.x) % kColumns;
  const std::int64_t o = static_cast<std::int64_t>(blockIdx.x) * kColumns + column;
  const std::int64_t first = blockIdx.y * split_rows;
  const std::int64_t rows = *op.rows.count;
  const std::int64_t end = first + split_rows < rows ? first + split_rows : rows;
  double sum = 0.0;
  if (o < op.out) {
#pragma unroll 8
    for (std::int64_t r = first + lane; r < end; r += kLanes) sum += op.delta[r * op.out + o];
  }
  partial[lane][column] = sum;
  __syncthreads();
  if (lane != 0 || o >= op.out) return;
  for (int l = 1; l < kLanes; ++l) sum += partial[l][column];
  sums[blockIdx.y * op.out + o] = sum;
}

// products: (splits, out, in), null where there is one split, which is the gradient already
__global__ void add_splits_kernel(DenseGradient op, const float* products, const double* sums,
                                  std::int64_t splits) {
  const std::int64_t weights = products != nullptr ? op.out * op.in : 0;
  for_chunk_items(weights + op.out, [&](std::int64_t k) {
    double total = 0.0;
    if (k < weights) {
#pragma unroll 8
      for (std::int64_t s = 0; s < splits; ++s) total += products[s * weights + k];
      op.weight_gradient[k] = static_cast<float>(total);
    } else {
      const std::int64_t o = k - weights;
      for (std::int64_t s = 0; s < splits; ++s) total += sums[s * op.out + o];
      op.bias_gradient[o] = static_cast<float>(total);
    }
  });
}

// result (out, in) = deltaᵀ input over `count` runs of `rows` rows, the results one after another.
void multiply_rows(Context& context, const DenseGradient& op, std::int64_t first, std::int64_t rows,
                   std::int64_t count, float* result) {
  check(cublasSgemmStridedBatched(
            context.blas(), CUBLAS_OP_N, CUBLAS_OP_T, blas_size(op.in), blas_size(op.out),
            blas_size(rows), &kOne, op.input + first * op.in, blas_size(op.in), rows * op.in,
            op.delta + first * op.out, blas_size(op.out), rows * op.out, &kZero, result,
            blas_size(op.in), op.out * op.in, blas_size(count)),
        "a weight gradient");
}

}  // namespace

void dense_forward(Context& context, const DenseForward& op) {
  check(
      cublasSgemm(context.blas(), CUBLAS_OP_T, CUBLAS_OP_N, blas_size(op.out),
                  blas_size(op.rows.capacity), blas_size(op.in), &kOne, op.weight, blas_size(op.in),
                  op.input, blas_size(op.in), &kZero, op.output, blas_size(op.out)),
      "a dense layer");
  if (!op.compared) {
    launch(bias_activation_kernel, chunk_shape(op.rows.capacity * op.out), context.stream, op);
    return;
  }
  const Arithmetic arithmetic = output_arithmetic(context.arithmetic, op.activation);
  const PackedOutput packed =
      reserve_packed_output(context, op.output, op.out, op.rows.capacity, arithmetic);
  dispatch_packing(arithmetic, [&](auto numbers) {
    launch(packing_bias_activation_kernel<typename decltype(numbers)::type>,
           pack_shape(packed.rows), context.stream, op, packed.rows, packed.words);
  });
}

void dense_gradient(Context& context, const DenseGradient& op) {
  const Splits splits = splits_of(op.rows.capacity);
  auto* sums = context.scratch<double>(splits.count * op.out);
  Context& aside = fork(context, 0);  // the biases' gradient takes bandwidth, the weights' does not
  launch(column_sums_kernel,
         {.grid = dim3(static_cast<unsigned>(ceil_div(op.out, kColumns)),
                       static_cast<unsigned>(splits.count)),
          .block = dim3(kBlockThreads)},
         aside.stream, op, splits.rows, sums);
  float* products = nullptr;
  if (splits.count == 1) {
    multiply_rows(context, op, 0, op.rows.capacity, 1, op.weight_gradient);
  } else {
    products = context.scratch<float>(splits.count * op.out * op.in);
    const std::int64_t full = op.rows.capacity / splits.rows;
    multiply_rows(context, op, 0, splits.rows, full, products);
    if (full < splits.count) {
      multiply_rows(context, op, full * splits.rows, op.rows.capacity - full * splits.rows, 1,
                    products + full * op.out * op.in);
    }
  }
  join(context, aside);
  const std::int64_t weights = products != nullptr ? op.out * op.in : 0;
  launch(add_splits_kernel, chunk_shape(weights + op.out), context.stream, op, products, sums,
         splits.count);
}

void dense_input_gradient(Context& context, const DenseInputGradient& op) {
  check(cublasSgemm(context.blas(), CUBLAS_OP_N, CUBLAS_OP_N, blas_size(op.in),
                    blas_size(op.rows.capacity), blas_size(op.out), &kOne, op.weight,
                    blas_size(op.in), op.delta, blas_size(op.out), &kZero, op.input_delta,
                    blas_size(op.in)),
        "a layer's input gradient");
  launch(through_activation_kernel, chunk_shape(op.rows.capacity * op.in), context.stream, op);
}

}  // namespace lpdm::cuda
