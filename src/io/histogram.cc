#include "io/histogram.h"

#include <algorithm>
#include <cmath>

namespace lpdm {

Histogram make_histogram(std::span<const float> values, double low, double high, int bins) {
  Histogram histogram{.count = static_cast<std::int64_t>(values.size()),
                      .limits = {},
                      .counts = std::vector<double>(static_cast<std::size_t>(bins))};
  const double width = (high - low) / bins;
  for (int bin = 1; bin <= bins; ++bin) histogram.limits.push_back(low + bin * width);
  if (values.empty()) return histogram;
  histogram.min = histogram.max = values.front();
  for (const float value : values) {
    histogram.min = std::min<double>(histogram.min, value);
    histogram.max = std::max<double>(histogram.max, value);
    histogram.sum += value;
    histogram.sum_squares += static_cast<double>(value) * value;
    const double bin = std::floor((value - low) / width);
    histogram.counts[static_cast<std::size_t>(std::clamp(bin, 0.0, bins - 1.0))] += 1.0;
  }
  return histogram;
}

}  // namespace lpdm
