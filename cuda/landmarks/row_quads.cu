#include "common/launch.h"
#include "common/rows.h"
#include "landmarks/row_quads.h"

namespace lpdm::cuda {

namespace {

constexpr std::int64_t kQuad = 4;  // floats

__global__ void copy_rows_kernel(Rows rows, const float* values, std::int64_t dim,
                                 std::int64_t pitch, float* to) {
  for_chunk_items(*rows.count * pitch, [&](std::int64_t k) {
    const std::int64_t row = k / pitch, d = k % pitch;
    to[k] = d < dim ? values[row * dim + d] : 0.0F;
  });
}

}  // namespace

RowQuads row_quads(Context& context, const Rows& rows, const float* values, std::int64_t dim) {
  if (dim % kQuad == 0 && reinterpret_cast<std::uintptr_t>(values) % sizeof(float4) == 0) {
    return {values, dim, dim};
  }
  const std::int64_t pitch = ceil_div(dim, kQuad) * kQuad;
  auto* to = context.scratch<float>(rows.capacity * pitch);
  launch(copy_rows_kernel, chunk_shape(rows.capacity * pitch), context.stream, rows, values, dim,
         pitch, to);
  return {to, dim, pitch};
}

}  // namespace lpdm::cuda
