// How fast this core does the arithmetic of the pairwise loops, on values in its L1 cache.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace lpdm::limit {

// [pair-dimensions per second]. checksum: of what the loops found, which keeps them.
struct Rates {
  double distances = 0.0;
  double gradients = 0.0;
  double checksum = 0.0;
};

Rates float_rates();  // float32
Rates level_rates();  // 16-bit levels, backend.arithmetic fixed

inline constexpr int kWords = 2048;  // of 32 bits, more than any vector length takes of them

// The best of many short runs of each loop, which return the pair-dimensions they worked on.
template <class Distances, class Gradients>
Rates best_rates(const Distances& distances, const Gradients& gradients) {
  constexpr int kRuns = 2000;
  Rates best;
  const auto time = [&](const auto& run, double& rate) {
    for (int i = 0; i < kRuns; ++i) {
      const auto start = std::chrono::steady_clock::now();
      const std::int64_t work = run(&best.checksum);
      const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
      rate = std::max(rate, static_cast<double>(work) / seconds.count());
    }
  };
  time(distances, best.distances);
  time(gradients, best.gradients);
  return best;
}

}  // namespace lpdm::limit
