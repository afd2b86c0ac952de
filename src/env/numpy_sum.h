// Sums in numpy's order, so that rewards agree with Gymnasium's to the last bit.
#pragma once

#include <cmath>
#include <cstddef>
#include <span>

namespace lpdm {

// The sum of value(0) … value(count - 1) as numpy adds up a contiguous array of at most 128
// numbers: in order below 8 numbers, otherwise in 8 interleaved partial sums.
template <typename Value>
auto numpy_sum(std::size_t count, Value value) {
  constexpr std::size_t kLanes = 8;
  using T = decltype(value(std::size_t{0}));
  std::size_t done = 0;
  T sum{0};
  if (count >= kLanes) {
    T lanes[kLanes];
    for (; done < kLanes; ++done) lanes[done] = value(done);
    for (; done + kLanes <= count; done += kLanes) {
      for (std::size_t k = 0; k < kLanes; ++k) lanes[k] += value(done + k);
    }
    sum = ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) +
          ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
  }
  for (; done < count; ++done) sum += value(done);
  return sum;
}

// weight * sum of a^2, all in float32: Gymnasium's actions are float32 arrays, and a Python number
// that multiplies their sum is rounded to float32 first.
inline float control_cost(double weight, std::span<const float> action) {
  const float sum = numpy_sum(action.size(), [&](std::size_t i) { return action[i] * action[i]; });
  return static_cast<float>(weight) * sum;
}

// The Euclidean distance of two points of one size; fused, as in the dot product of the BLAS behind
// numpy's norm.
inline double distance(std::span<const double> a, std::span<const double> b) {
  double sum = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) sum = std::fma(a[i] - b[i], a[i] - b[i], sum);
  return std::sqrt(sum);
}

}  // namespace lpdm
