#include "cpu/target_statistics.h"

#include <algorithm>

#include "cpu/pair_schedule.h"
#include "cpu/pairwise_error.h"

namespace lpdm::cpu {

std::vector<float> shifts_by_position(const PairLayout& layout, const float* shift) {
  std::vector<float> shifts(static_cast<std::size_t>(layout.blocks() * kTile), 0.0F);
  for (std::int64_t p = 0; p < layout.rows(); ++p) {
    shifts[static_cast<std::size_t>(p)] = shift[layout.row_index(0)[p]];
  }
  return shifts;
}

namespace {

// The largest of D_X · input_scale + g_i + g_j over the kept entries; without shifts, of D_X.
double max_target(Context& context, const PairLayout& layout, const PackedBlocks& blocks,
                  Metric metric, float input_scale, const std::vector<float>& shifts) {
  const PairSchedule schedule(layout);
  std::vector<float> task_max(static_cast<std::size_t>(schedule.strips() * schedule.max_tasks()));
  context.pool.parallel_for(static_cast<std::int64_t>(task_max.size()), [&](std::int64_t t, int) {
    const std::int64_t strip = t / schedule.max_tasks();
    const std::int64_t task = t % schedule.max_tasks();
    if (task >= schedule.tasks(strip)) return;
    alignas(kAlignment) float tile[kTile * kTile];
    const float* column_shift = shifts.empty() ? nullptr : shifts.data() + strip * kTile;
    float largest = 0.0F;
    for (std::int64_t b = schedule.first_block(strip, task); b < schedule.end_block(strip, task);
         ++b) {
      const std::int64_t rows = layout.block_rows(b);
      distance_tile(metric, blocks.panel(b), rows, blocks.panel(strip), blocks.dim(), tile);
      const float* row_shift = shifts.empty() ? nullptr : shifts.data() + b * kTile;
      target_tile({.rows = rows,
                   .input_scale = input_scale,
                   .row_shift = row_shift,
                   .column_shift = column_shift,
                   .distances = tile});
      for (std::int64_t r = 0; r < rows; ++r) {
        const float* row = tile + r * kTile;
        largest = std::max(largest, *std::max_element(row, row + layout.block_kept(strip)));
      }
    }
    task_max[static_cast<std::size_t>(t)] = largest;
  });
  return *std::max_element(task_max.begin(), task_max.end());
}

double reciprocal_or(double value, double otherwise) {
  return value > 0.0 ? 1.0 / value : otherwise;
}

}  // namespace

void target_statistics(Context& context, PackedBlocks& blocks, const TargetStatistics& op) {
  const PairwiseTarget& target = op.target;
  const PairLayout layout(target);
  blocks.pack(layout, target.input, target.dim);
  const auto largest = [&](double input_scale, const std::vector<float>& shifts) {
    return max_target(context, layout, blocks, target.metric, static_cast<float>(input_scale),
                      shifts);
  };
  TargetScales scales;
  if (target.shift == nullptr) {
    scales.target_scale = reciprocal_or(largest(1.0, {}), 0.0);
  } else {
    if (target.guide_base == GuideBase::kNormalized) {
      scales.input_scale = reciprocal_or(largest(1.0, {}), 1.0);
    }
    const double max_shifted =
        largest(scales.input_scale, shifts_by_position(layout, target.shift));
    scales.target_scale = reciprocal_or(max_shifted, 0.0);
  }
  *op.scales = scales;
}

}  // namespace lpdm::cpu
