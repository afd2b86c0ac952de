#include "common/rows.h"
#include "common/standardize.h"
#include "ops/advantages.h"

namespace lpdm::cuda {

namespace {

__global__ void advantage_kernel(Advantages op) {
  for_chunk_items(*op.rows.count, [&](std::int64_t i) {
    op.advantages[i] = op.returns[i] - (op.values != nullptr ? op.values[i] : 0.0F);
  });
}

}  // namespace

void advantages(Context& context, const Advantages& op) {
  launch(advantage_kernel, chunk_shape(op.rows.capacity), context.stream, op);
  if (op.normalize) standardize(context, op.rows, op.advantages);
}

}  // namespace lpdm::cuda
