#include "cpu/ops/target_statistics.h"

#include "cpu/pairs/largest_entry.h"

namespace lpdm::cpu {

void target_statistics(Context& context, InputTarget& input, const TargetStatistics& op) {
  const PairLayout layout(op.target);
  input.prepare(layout, op.target);
  const auto largest_distance = [&] {
    return largest_entry(context, layout,
                         [&](std::int64_t strip, std::int64_t block, int, float* tile) {
                           input.distances(strip, block, tile);
                         });
  };
  const auto largest_shifted = [&](double input_scale) {
    const TargetScales scales{.input_scale = input_scale, .target_scale = 1.0};
    return largest_entry(context, layout,
                         [&](std::int64_t strip, std::int64_t block, int, float* tile) {
                           input.distances(strip, block, tile);
                           input.normalize(strip, block, scales, tile);
                         });
  };
  *op.scales = find_target_scales(op.target, largest_distance, largest_shifted);
}

}  // namespace lpdm::cpu
