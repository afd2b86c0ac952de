// How fast this core does the arithmetic of the pairwise loops, on values in its L1 cache.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace lpdm::limit {

// [pair-dimensions per second]; a checksum that is not finite is an error.
struct Rates {
  double distances = 0.0;
  double gradients = 0.0;
  double checksum = 0.0;
};

Rates float_rates();  // float32
Rates level_rates();  // 16-bit levels, backend.arithmetic fixed

inline constexpr std::int64_t kColumns = 64;  // vectors of columns: 4 KB of L1 at most
inline constexpr int kPasses = 500;

// The best of many short runs. run(&checksum) returns the pair-dimensions it worked on.
template <class Run>
double best_rate(const Run& run, double* checksum) {
  constexpr int kRuns = 2000;
  double best = 0.0;
  for (int i = 0; i < kRuns; ++i) {
    const auto start = std::chrono::steady_clock::now();
    const std::int64_t work = run(checksum);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    best = std::max(best, static_cast<double>(work) / seconds.count());
  }
  return best;
}

}  // namespace lpdm::limit
