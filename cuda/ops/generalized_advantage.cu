#include "common/flagged_rows.h"
#include "common/recurrence.h"
#include "common/rows.h"
#include "ops/generalized_advantage.h"

namespace lpdm::cuda {

namespace {

__device__ bool ends(const GeneralizedAdvantage& op, std::int64_t row) {
  return (op.terminated[row] | op.truncated[row]) != 0;
}

__global__ void mark_ends_kernel(GeneralizedAdvantage op, std::uint8_t* marks) {
  for_chunk_items(op.horizon * op.count,
                  [&](std::int64_t row) { marks[row] = ends(op, row) ? 1 : 0; });
}

// A_t = step(A_{t+1}). The final observations' values lie in the order of the rows that end, of
// which ends_before[row] come before a row.
__global__ void step_kernel(GeneralizedAdvantage op, const std::int64_t* ends_before,
                            Affine* steps) {
  const std::int64_t rows = op.horizon * op.count;
  const float* final_values = op.values + rows + op.count;
  for_chunk_items(rows, [&](std::int64_t row) {
    double next = op.values[row + op.count];
    double decay = op.discount * op.lambda;
    if (ends(op, row)) {
      next = op.terminated[row] != 0 ? 0.0 : final_values[ends_before[row]];
      decay = 0.0;
    }
    steps[row] = {decay, op.rewards[row] + op.discount * next - op.values[row]};
  });
}

// A block for each environment; thread t does a run of steps, the last ones first.
__global__ void advantage_kernel(GeneralizedAdvantage op, const Affine* steps) {
  const std::int64_t each = ceil_div(op.horizon, kBlockThreads);
  const std::int64_t from = op.horizon - 1 - std::int64_t{threadIdx.x} * each;
  const auto row_of = [&](std::int64_t t) { return t * op.count + blockIdx.x; };
  const std::int64_t to = from - each >= -1 ? from - each : -1;
  Affine mine;
  for (std::int64_t t = from; t > to; --t) mine = Then{}(mine, steps[row_of(t)]);
  double advantage = block_scan_before(mine, Affine{}, Then{})(0.0);
  for (std::int64_t t = from; t > to; --t) {
    const std::int64_t row = row_of(t);
    advantage = steps[row](advantage);
    op.advantages[row] = static_cast<float>(advantage);
    op.returns[row] = static_cast<float>(advantage + op.values[row]);
  }
}

}  // namespace

void generalized_advantage(Context& context, const GeneralizedAdvantage& op) {
  const std::int64_t rows = op.horizon * op.count;
  const LaunchShape shape = chunk_shape(rows);
  auto* marks = context.scratch<std::uint8_t>(rows);
  auto* ends_before = context.scratch<std::int64_t>(rows);
  auto* steps = context.scratch<Affine>(rows);
  launch(mark_ends_kernel, shape, context.stream, op, marks);
  count_flagged_before(context, marks, rows, ends_before);
  launch(step_kernel, shape, context.stream, op, ends_before, steps);
  launch(advantage_kernel,
         {.grid = dim3(static_cast<unsigned>(op.count)), .block = dim3(kBlockThreads)},
         context.stream, op, steps);
}

}  // namespace lpdm::cuda
