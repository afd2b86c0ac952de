#include "common/launch.h"
#include "common/rows.h"
#include "landmarks/row_quads.h"

namespace lpdm::cuda {

namespace {

constexpr std::int64_t kQuad = 4;  // floats

bool lie_in_quads(const float* values, std::int64_t dim) {
  return dim % kQuad == 0 && reinterpret_cast<std::uintptr_t>(values) % sizeof(float4) == 0;
}

__global__ void to_quads_kernel(Rows rows, const float* values, std::int64_t dim,
                                WritableQuads to) {
  for_chunk_items(*rows.count * to.pitch, [&](std::int64_t k) {
    const std::int64_t row = k / to.pitch, d = k % to.pitch;
    to.data[k] = d < dim ? values[row * dim + d] : 0.0F;
  });
}

__global__ void from_quads_kernel(std::int64_t rows, RowQuads from, float* values,
                                  std::int64_t dim) {
  for_chunk_items(rows * dim,
                  [&](std::int64_t k) { values[k] = from.data[k / dim * from.pitch + k % dim]; });
}

WritableQuads scratch_quads(Context& context, const Rows& rows, std::int64_t dim) {
  const std::int64_t pitch = ceil_div(dim, kQuad) * kQuad;
  return {context.scratch<float>(rows.capacity * pitch), pitch};
}

}  // namespace

RowQuads row_quads(Context& context, const Rows& rows, const float* values, std::int64_t dim) {
  if (lie_in_quads(values, dim)) return {values, dim};
  const WritableQuads copy = scratch_quads(context, rows, dim);
  launch(to_quads_kernel, chunk_shape(rows.capacity * copy.pitch), context.stream, rows, values,
         dim, copy);
  return {copy.data, copy.pitch};
}

WritableQuads writable_quads(Context& context, const Rows& rows, float* values, std::int64_t dim) {
  return lie_in_quads(values, dim) ? WritableQuads{values, dim} : scratch_quads(context, rows, dim);
}

void copy_back(Context& context, const Rows& rows, const WritableQuads& from, float* values,
               std::int64_t dim) {
  if (from.data == values) return;
  launch(from_quads_kernel, chunk_shape(rows.capacity * dim), context.stream, rows.capacity,
         RowQuads{from.data, from.pitch}, values, dim);
}

}  // namespace lpdm::cuda
