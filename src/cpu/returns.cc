#include "cpu/returns.h"

#include <cmath>

namespace lpdm::cpu {

namespace {

constexpr double kStdEpsilon = 1e-8;

void normalize(float* values, std::int64_t count) {
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

}  // namespace

void discounted_returns(Context&, const DiscountedReturns& op) {
  std::int64_t first = 0;
  for (std::int64_t episode = 0; episode < *op.episode_count; ++episode) {
    const std::int64_t end = op.episode_ends[episode];
    double to_go = 0.0;
    for (std::int64_t i = end - 1; i >= first; --i) {
      to_go = op.rewards[i] + op.discount * to_go;
      op.returns[i] = static_cast<float>(to_go);
    }
    first = end;
  }
  if (op.normalize) normalize(op.returns, *op.rows.count);
}

}  // namespace lpdm::cpu
