// Floyd's algorithm, side by side: step k draws t in [0, r], r = N − M + k, and takes t, or r if an
// earlier step has taken t. A row t has been taken before step k if an earlier step drew it, or if
// t = N − M + j for an earlier step j that had to take its own r. The second case is a chain of
// steps that each thread follows for itself; chains are short.
#include "common/flagged_rows.h"
#include "common/philox.h"
#include "common/rows.h"
#include "ops/landmarks.h"

namespace lpdm::cuda {

namespace {

__device__ std::int64_t draw(const DrawLandmarks& op, std::int64_t rows, std::int64_t count,
                             std::int64_t k) {
  const StreamId stream{.purpose = StreamPurpose::kLandmarks,
                        .step = static_cast<std::uint32_t>(*op.iteration)};
  const double uniform = philox_uniform(op.seed, stream, static_cast<std::uint32_t>(k));
  return static_cast<std::int64_t>(uniform * static_cast<double>(rows - count + k + 1));
}

// drawn: (M), repeated[k]: an earlier step drew the same. The row that step k takes.
template <class Index>
__device__ std::int64_t taken_row(const Index* drawn, const std::uint8_t* repeated,
                                  std::int64_t base, std::int64_t k) {
  std::int64_t step = k;
  while (repeated[step] == 0) {
    if (drawn[step] < base || drawn[step] - base == step) return drawn[k];
    step = drawn[step] - base;
  }
  return base + k;
}

__device__ std::int64_t draws_of(const DrawLandmarks& op) {
  return op.landmarks < *op.rows.count ? op.landmarks : *op.rows.count;
}

// One block does it all, a thread for each landmark.
constexpr int kFewLandmarks = 1024;

__global__ void draw_few_kernel(DrawLandmarks op) {
  __shared__ std::int64_t drawn[kFewLandmarks];
  __shared__ std::int64_t taken[kFewLandmarks];
  __shared__ std::uint8_t repeated[kFewLandmarks];
  const std::int64_t rows = *op.rows.count;
  const std::int64_t count = draws_of(op);
  const std::int64_t k = threadIdx.x;
  if (k < count) drawn[k] = draw(op, rows, count, k);
  __syncthreads();
  if (k < count) {
    repeated[k] = 0;
    for (std::int64_t j = 0; j < k; ++j) {
      if (drawn[j] == drawn[k]) repeated[k] = 1;
    }
  }
  __syncthreads();
  if (k < count) taken[k] = taken_row(drawn, repeated, rows - count, k);
  __syncthreads();
  if (k >= count) return;
  std::int64_t rank = 0;
  for (std::int64_t j = 0; j < count; ++j) rank += taken[j] < taken[k] ? 1 : 0;
  op.selected[rank] = taken[k];
  if (k == 0) *op.selected_count = count;
}

// ---- many landmarks: as above, with tables of all rows ----

struct Tables {
  std::int64_t* drawn = nullptr;     // (M)
  std::uint8_t* repeated = nullptr;  // (M)
  int* first = nullptr;              // (capacity), the first step that drew a row
  std::uint8_t* chosen = nullptr;    // (capacity), 1 where a row is taken
};

__global__ void clear_kernel(DrawLandmarks op, Tables tables) {
  for_chunk_items(op.rows.capacity, [&](std::int64_t row) {
    tables.first[row] = 0x7FFFFFFF;
    tables.chosen[row] = 0;
  });
}

__global__ void draw_kernel(DrawLandmarks op, Tables tables) {
  const std::int64_t count = draws_of(op);
  for_chunk_items(count, [&](std::int64_t k) {
    tables.drawn[k] = draw(op, *op.rows.count, count, k);
    atomicMin(&tables.first[tables.drawn[k]], static_cast<int>(k));
  });
}

__global__ void repeated_kernel(DrawLandmarks op, Tables tables) {
  for_chunk_items(draws_of(op), [&](std::int64_t k) {
    tables.repeated[k] = tables.first[tables.drawn[k]] < k ? 1 : 0;
  });
}

__global__ void choose_kernel(DrawLandmarks op, Tables tables) {
  const std::int64_t count = draws_of(op);
  for_chunk_items(count, [&](std::int64_t k) {
    tables.chosen[taken_row(tables.drawn, tables.repeated, *op.rows.count - count, k)] = 1;
  });
}

void draw_many(Context& context, const DrawLandmarks& op) {
  const LaunchShape of_rows = chunk_shape(op.rows.capacity);
  const LaunchShape of_draws = chunk_shape(op.landmarks);
  const Tables tables{.drawn = context.scratch<std::int64_t>(op.landmarks),
                      .repeated = context.scratch<std::uint8_t>(op.landmarks),
                      .first = context.scratch<int>(op.rows.capacity),
                      .chosen = context.scratch<std::uint8_t>(op.rows.capacity)};
  launch(clear_kernel, of_rows, context.stream, op, tables);
  launch(draw_kernel, of_draws, context.stream, op, tables);
  launch(repeated_kernel, of_draws, context.stream, op, tables);
  launch(choose_kernel, of_draws, context.stream, op, tables);
  select_flagged(context, tables.chosen, op.rows.capacity, op.selected, op.selected_count);
}

}  // namespace

void draw_landmarks(Context& context, const DrawLandmarks& op) {
  if (op.landmarks > kFewLandmarks) return draw_many(context, op);
  const auto threads = static_cast<unsigned>(ceil_div(op.landmarks, 32) * 32);
  launch(draw_few_kernel, {.grid = dim3(1), .block = dim3(threads)}, context.stream, op);
}

}  // namespace lpdm::cuda
