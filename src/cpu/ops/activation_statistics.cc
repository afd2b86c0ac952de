#include "cpu/ops/activation_statistics.h"

#include <cmath>

namespace lpdm::cpu {

void activation_statistics(Context&, const ActivationStatistics& op) {
  constexpr float kSaturation = 0.99F;
  const std::int64_t size = *op.rows.count * op.out;
  double sum = 0.0;
  std::int64_t saturated = 0;
  for (std::int64_t i = 0; i < size; ++i) {
    const float magnitude = std::abs(op.output[i]);
    sum += magnitude;
    saturated += magnitude > kSaturation ? 1 : 0;
  }
  *op.summary = {.mean_abs = sum / static_cast<double>(size),
                 .saturated = static_cast<double>(saturated) / static_cast<double>(size)};
}

}  // namespace lpdm::cpu
