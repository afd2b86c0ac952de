#include "sparkline.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

namespace lpdm {
namespace {

constexpr std::array<const char*, 8> kHeights{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};

// The mean of the known among them; not-a-number if there are none.
double mean_of(std::span<const double> values) {
  double sum = 0.0;
  int count = 0;
  for (const double value : values) {
    if (!std::isfinite(value)) continue;
    sum += value;
    ++count;
  }
  return count > 0 ? sum / count : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace

std::string sparkline(std::span<const double> values, std::size_t width) {
  const std::size_t columns = std::min(width, values.size());
  std::vector<double> means;
  double low = std::numeric_limits<double>::infinity();
  double high = -low;
  for (std::size_t c = 0; c < columns; ++c) {
    const std::size_t first = c * values.size() / columns;
    const std::size_t end = (c + 1) * values.size() / columns;
    means.push_back(mean_of(values.subspan(first, end - first)));
    if (std::isnan(means.back())) continue;
    low = std::min(low, means.back());
    high = std::max(high, means.back());
  }
  std::string text;
  for (const double mean : means) {
    if (std::isnan(mean)) {
      text += ' ';
      continue;
    }
    const double share = high > low ? (mean - low) / (high - low) : 0.0;
    const auto height = static_cast<std::size_t>(share * (kHeights.size() - 1) + 0.5);
    text += kHeights[height];
  }
  return text;
}

}  // namespace lpdm
