// How many values lie in each of equally wide bins.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace lpdm {

struct Histogram {
  double min = 0.0;  // of the values
  double max = 0.0;
  double sum = 0.0;
  double sum_squares = 0.0;
  std::int64_t count = 0;
  std::vector<double> limits;  // upper end of each bin
  std::vector<double> counts;  // values in each bin
};

// Of finite values, in `bins` bins from `low` to `high`; what lies outside counts in the outermost.
Histogram make_histogram(std::span<const float> values, double low, double high, int bins);

}  // namespace lpdm
