#include "common/rows.h"
#include "ops/gather_rows.h"

namespace lpdm::cuda {

namespace {

__global__ void gather_kernel(GatherRows op) {
  const std::int64_t used = *op.rows.count * op.width;
  for_chunk_items(op.rows.capacity * op.width, [&](std::int64_t k) {
    const std::int64_t row = k / op.width;
    const std::int64_t column = k % op.width;
    op.destination[k] = k < used ? op.source[op.index[row] * op.width + column] : 0.0F;
  });
}

}  // namespace

void gather_rows(Context& context, const GatherRows& op) {
  launch(gather_kernel, chunk_shape(op.rows.capacity * op.width), context.stream, op);
}

}  // namespace lpdm::cuda
