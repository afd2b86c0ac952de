#include "common/finish_sums.h"
#include "core/value_error.h"
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
    const double old = op.clip > 0.0 ? op.old_values[i] : 0.0;
    const ValueError error = value_error(op.values[i], op.returns[i], old, op.clip);
    loss += error.squared * share;
    op.delta[i] = static_cast<float>(error.gradient * share);
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
