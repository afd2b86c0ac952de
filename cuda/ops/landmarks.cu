// Algorithm R, side by side: every row from M on draws a place for itself, and of those that draw
// the same one the last row has it.
#include "common/philox.h"
#include "common/rows.h"
#include "ops/landmarks.h"

namespace lpdm::cuda {

namespace {

__global__ void first_rows_kernel(DrawLandmarks op) {
  const std::int64_t rows = *op.rows.count;
  const std::int64_t count = op.landmarks < rows ? op.landmarks : rows;
  for_chunk_items(count, [&](std::int64_t row) { op.selected[row] = row; });
  if (blockIdx.x == 0 && threadIdx.x == 0) *op.selected_count = count;
}

__global__ void take_places_kernel(DrawLandmarks op) {
  const StreamId stream{.purpose = StreamPurpose::kLandmarks,
                        .step = static_cast<std::uint32_t>(*op.iteration)};
  for_chunk_items(*op.rows.count - op.landmarks, [&](std::int64_t number) {
    const std::int64_t row = op.landmarks + number;
    const std::int64_t place =
        philox_below(op.seed, stream, static_cast<std::uint32_t>(number), row + 1);
    if (place < op.landmarks) {
      atomicMax(reinterpret_cast<unsigned long long*>(op.selected + place),
                static_cast<unsigned long long>(row));
    }
  });
}

}  // namespace

void draw_landmarks(Context& context, const DrawLandmarks& op) {
  launch(first_rows_kernel, chunk_shape(op.landmarks), context.stream, op);
  launch(take_places_kernel, chunk_shape(op.rows.capacity), context.stream, op);
}

}  // namespace lpdm::cuda
