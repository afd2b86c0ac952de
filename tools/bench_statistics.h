// Medians and spread of repeated timings.
#pragma once

#include <algorithm>
#include <chrono>
#include <vector>

namespace lpdm {

struct Timing {
  double shortest = 0.0;  // [s]
  double median = 0.0;    // [s]
  double spread = 0.0;    // (longest − shortest) / median
};

inline Timing summarize(std::vector<double> seconds) {
  std::sort(seconds.begin(), seconds.end());
  const std::size_t half = seconds.size() / 2;
  const double median =
      seconds.size() % 2 == 1 ? seconds[half] : (seconds[half - 1] + seconds[half]) / 2.0;
  return {seconds.front(), median, (seconds.back() - seconds.front()) / median};
}

template <class Function>
double seconds_of(const Function& function) {
  const auto start = std::chrono::steady_clock::now();
  function();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace lpdm
