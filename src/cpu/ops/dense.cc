#include "cpu/ops/dense.h"

#include <algorithm>
#include <array>
#include <vector>

#include "core/blas.h"
#include "cpu/common/activation.h"

namespace lpdm::cpu {

namespace {

constexpr std::int64_t kRowsPerTask = 256;
constexpr std::int64_t kOutputsPerTask = 64;

using blas::Transpose;

template <class Run>
void for_row_blocks(Context& context, std::int64_t rows, const Run& run) {
  context.pool.parallel_for(ceil_div(rows, kRowsPerTask), [&](std::int64_t task, int) {
    const std::int64_t first = task * kRowsPerTask;
    run(first, std::min(kRowsPerTask, rows - first));
  });
}

// The value head's part of rows [first, first + count).
void add_value_gradient(const DenseInputGradient& op, std::int64_t first, std::int64_t count,
                        float* input_delta) {
  std::array<float, kRowsPerTask> scaled;
  for (std::int64_t r = 0; r < count; ++r) {
    scaled[static_cast<std::size_t>(r)] =
        static_cast<float>(op.value_scale * op.value_delta[first + r]);
  }
  blas::sgemm(Transpose::kNo, Transpose::kNo, count, op.in, 1, scaled.data(), 1, op.value_weight,
              op.in, 1.0F, input_delta, op.in);
}

}  // namespace

void dense_forward(Context& context, const DenseForward& op) {
  for_row_blocks(context, *op.rows.count, [&](std::int64_t first, std::int64_t count) {
    float* output = op.output + first * op.out;
    blas::sgemm(Transpose::kNo, Transpose::kYes, count, op.out, op.in, op.input + first * op.in,
                op.in, op.weight, op.in, 0.0F, output, op.out);
    apply_bias_and_activation(op.activation, op.bias, count, op.out, output);
  });
}

void dense_gradient(Context& context, const DenseGradient& op) {
  const std::int64_t rows = *op.rows.count;
  // Each task owns some of the outputs and adds the row blocks in order.
  context.pool.parallel_for(ceil_div(op.out, kOutputsPerTask), [&](std::int64_t task, int) {
    const std::int64_t first = task * kOutputsPerTask;
    const std::int64_t outputs = std::min(kOutputsPerTask, op.out - first);
    float* gradient = op.weight_gradient + first * op.in;
    std::fill_n(gradient, outputs * op.in, 0.0F);
    std::vector<double> bias(static_cast<std::size_t>(outputs), 0.0);
    for (std::int64_t r = 0; r < rows; r += kRowsPerTask) {
      const std::int64_t count = std::min(kRowsPerTask, rows - r);
      const float* delta = op.delta + r * op.out + first;
      blas::sgemm(Transpose::kYes, Transpose::kNo, outputs, op.in, count, delta, op.out,
                  op.input + r * op.in, op.in, 1.0F, gradient, op.in);
      alignas(kAlignment) float sums[kOutputsPerTask] = {};  // few enough rows for float
      add_column_sums(delta, count, op.out, outputs, sums);
      for (std::int64_t o = 0; o < outputs; ++o) bias[static_cast<std::size_t>(o)] += sums[o];
    }
    std::copy(bias.begin(), bias.end(), op.bias_gradient + first);
  });
}

void dense_input_gradient(Context& context, const DenseInputGradient& op) {
  for_row_blocks(context, *op.rows.count, [&](std::int64_t first, std::int64_t count) {
    float* input_delta = op.input_delta + first * op.in;
    blas::sgemm(Transpose::kNo, Transpose::kNo, count, op.in, op.out, op.delta + first * op.out,
                op.out, op.weight, op.in, 0.0F, input_delta, op.in);
    if (op.value_delta != nullptr) add_value_gradient(op, first, count, input_delta);
    scale_by_activation_gradient(op.activation, 1.0F, op.input + first * op.in, count * op.in,
                                 input_delta);
  });
}

}  // namespace lpdm::cpu
