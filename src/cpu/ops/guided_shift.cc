#include "cpu/ops/guided_shift.h"

#include <algorithm>

namespace lpdm::cpu {

void guided_shift(Context&, const GuidedShift& op) {
  const std::int64_t rows = *op.rows.count;
  const auto [lowest, highest] = std::minmax_element(op.values, op.values + rows);
  const double low = *lowest;
  const double range = *highest - low;
  for (std::int64_t i = 0; i < rows; ++i) {
    const double value = range > 0.0 ? (op.values[i] - low) / range : 0.0;
    op.shift[i] = static_cast<float>((1.0 - value) / 2.0);
  }
}

}  // namespace lpdm::cpu
