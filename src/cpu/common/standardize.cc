#include "cpu/common/standardize.h"

#include <cmath>

namespace lpdm::cpu {

void standardize(float* values, std::int64_t count) {
  constexpr double kStdEpsilon = 1e-8;
  double sum = 0.0;
  for (std::int64_t i = 0; i < count; ++i) sum += values[i];
  const double mean = sum / static_cast<double>(count);
  double squared = 0.0;
  for (std::int64_t i = 0; i < count; ++i) squared += (values[i] - mean) * (values[i] - mean);
  const double scale = 1.0 / (std::sqrt(squared / static_cast<double>(count)) + kStdEpsilon);
  for (std::int64_t i = 0; i < count; ++i) {
    values[i] = static_cast<float>((values[i] - mean) * scale);
  }
}

}  // namespace lpdm::cpu
