#include "common/finish_sums.h"
#include "ops/value_loss.h"

namespace lpdm::cuda {

namespace {

__global__ void value_loss_kernel(ValueLoss op, double* partial) {
  const std::int64_t rows = *op.rows.count;
  const double share = 1.0 / static_cast<double>(rows);
  double loss = 0.0;
  for_chunk_items(op.rows.capacity, [&](std::int64_t i) {
    op.delta[i] = 0.0F;
    if (i >= rows) return;
    const double error = static_cast<double>(op.values[i]) - op.returns[i];
    double squared = error * error;
    double gradient = 2.0 * error;
    if (op.clip > 0.0) {
      const double old = op.old_values[i];
      const double kept =
          fmin(fmax(static_cast<double>(op.values[i]), old - op.clip), old + op.clip);
      const double kept_error = kept - op.returns[i];
      if (kept_error * kept_error > squared) {  // then V itself has been clipped
        squared = kept_error * kept_error;
        gradient = 0.0;
      }
    }
    loss += squared * share;
    op.delta[i] = static_cast<float>(gradient * share);
  });
  loss = block_sum(loss);
  if (threadIdx.x == 0) partial[blockIdx.x] = loss;
}

}  // namespace

void value_loss(Context& context, const ValueLoss& op) {
  const LaunchShape shape = chunk_shape(op.rows.capacity);
  auto* partial = context.scratch<double>(shape.grid.x);
  launch(value_loss_kernel, shape, context.stream, op, partial);
  finish_sums(context, partial, 1, shape.grid.x, op.loss);
}

}  // namespace lpdm::cuda
