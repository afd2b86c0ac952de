#include <cfloat>

#include "common/rows.h"
#include "ops/guided_shift.h"

namespace lpdm::cuda {

namespace {

struct Range {
  float low = FLT_MAX;
  float high = -FLT_MAX;
};

struct Widen {
  __device__ Range operator()(const Range& a, const Range& b) const {
    return {fminf(a.low, b.low), fmaxf(a.high, b.high)};
  }
};

__global__ void range_kernel(GuidedShift op, Range* partial) {
  Range range;
  for_chunk_items(*op.rows.count, [&](std::int64_t i) {
    range = Widen{}(range, {op.values[i], op.values[i]});
  });
  range = block_reduce(range, Widen{});
  if (threadIdx.x == 0) partial[blockIdx.x] = range;
}

__global__ void shift_kernel(GuidedShift op, const Range* partial) {
  Range mine;
  for (unsigned c = threadIdx.x; c < gridDim.x; c += kBlockThreads)
    mine = Widen{}(mine, partial[c]);
  const Range all = block_reduce(mine, Widen{});
  const double width = static_cast<double>(all.high) - all.low;
  const std::int64_t rows = *op.rows.count;
  for_chunk_items(op.rows.capacity, [&](std::int64_t i) {
    double shift = 0.0;
    if (i < rows) {
      const double value =
          width > 0.0 ? (static_cast<double>(op.values[i]) - all.low) / width : 0.0;
      shift = (1.0 - value) / 2.0;
    }
    op.shift[i] = static_cast<float>(shift);
  });
}

}  // namespace

void guided_shift(Context& context, const GuidedShift& op) {
  const LaunchShape shape = chunk_shape(op.rows.capacity);
  auto* partial = context.scratch<Range>(shape.grid.x);
  launch(range_kernel, shape, context.stream, op, partial);
  launch(shift_kernel, shape, context.stream, op, partial);
}

}  // namespace lpdm::cuda
