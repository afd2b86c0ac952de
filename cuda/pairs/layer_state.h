// What the kernels of one layer's local loss tell each other, in device memory.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "lpdm/ops.h"
#include "pairs/pair_domain.h"

namespace lpdm::cuda {

// Sums over ordered entries, in float64. D is D_Y itself, not yet divided by its maximum.
struct PairSums {
  double target = 0.0;            // Σ T
  double target_squared = 0.0;    // Σ T²
  double distance = 0.0;          // Σ D
  double distance_squared = 0.0;  // Σ D²
  double target_distance = 0.0;   // Σ T·D
  double entries = 0.0;

  __device__ PairSums operator+(const PairSums& other) const {
    return {target + other.target,
            target_squared + other.target_squared,
            distance + other.distance,
            distance_squared + other.distance_squared,
            target_distance + other.target_distance,
            entries + other.entries};
  }
};

// Σ E² and Σ E·D, summed as such.
struct ErrorSums {
  double squared = 0.0;
  double distance = 0.0;

  __device__ ErrorSums operator+(const ErrorSums& other) const {
    return {squared + other.squared, distance + other.distance};
  }
};

// Pairs at the maximum of D but for rounding are listed, so that float64 can tell them apart, as
// many as this; of more it is only known that they are more, and those equal to the maximum in
// float32 share its gradient.
inline constexpr int kMostListed = 1024;

// Starts as zero bytes.
struct LayerState {
  unsigned maximum_bits;  // of max D; floats from +0 on ascend with their bits
  unsigned sum_blocks_done, settle_blocks_done;
  unsigned near_count;             // pairs near the maximum; beyond kMostListed not all
  unsigned long long exact_count;  // pairs at it, in float32
  bool sum_errors;                 // the sums cancel: Σ E² and Σ E·D have to be summed directly
  PairSums sums;
  ErrorSums errors;
  ErrorWeights weights;

  double factor;              // turns Σ_j E_ij · direction into ∂L/∂y_i
  float maximum_coefficient;  // in units of E, for all pairs at the maximum; 0: `listed` instead
  float listed_coefficient;   // in units of ∂L/∂y, for each listed pair
  int listed_count;
  std::uint64_t near[kMostListed];    // first << 32 | second, batch rows, in any order
  std::uint64_t sorted[kMostListed];  // ascending
  double distances[kMostListed];      // of `sorted`, in float64
  std::uint64_t listed[kMostListed];  // those that truly share the maximum
};

__host__ __device__ constexpr double ratio_or_zero(double numerator, double denominator) {
  return denominator > 0.0 ? numerator / denominator : 0.0;
}

__device__ inline float maximum_of(const LayerState& state) {
  return __uint_as_float(state.maximum_bits);
}

// What a layer asks for, beside its pairs.
struct LayerOptions {
  double target_weight = 1.0;  // s_T
  double output_weight = 1.0;  // s_Y
  LossNorm norm = LossNorm::kFrobenius;
  Metric metric = Metric::kL1;
  bool through_maximum = true;  // of the gradient
  bool gradient = true;
};

// Σ E² and Σ E·D as the sums have them. Where that is little against what it is the difference of,
// float32 distances do not carry it.
__device__ inline void derive_error_sums(const LayerOptions& options, LayerState& state) {
  constexpr double kCancelled = 0.03;
  const double maximum = maximum_of(state);
  const double t = options.target_weight;
  const double d = ratio_or_zero(options.output_weight, maximum);
  const PairSums& sums = state.sums;
  const double of_target = t * t * sums.target_squared;
  const double of_distance = d * d * sums.distance_squared;
  state.errors.squared = fmax(0.0, of_target - 2.0 * t * d * sums.target_distance + of_distance);
  state.errors.distance = t * sums.target_distance - d * sums.distance_squared;
  state.sum_errors = state.errors.squared < kCancelled * fmax(of_target, of_distance) ||
                     fabs(state.errors.distance) <
                         kCancelled * fmax(t * sums.target_distance, d * sums.distance_squared);
  state.weights = {.target = static_cast<float>(options.target_weight),
                   .distance = static_cast<float>(d),
                   .output = static_cast<float>(options.output_weight),
                   .maximum = static_cast<float>(maximum)};
}

}  // namespace lpdm::cuda
