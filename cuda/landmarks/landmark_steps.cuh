// The direction of a value against a landmark's.
//
// For l1 the direction of y against a landmark's value v is step = saturate(scale · y + offset),
// one instruction: with u the distance from v to its nearest neighbour among floats, scale = 1 / 2u
// and offset = ½ − scale · v. That is ½ at v, and 1 above and 0 below it already at its neighbours,
// exactly: scale is a power of two, and offset, a multiple of ½ below 2²³, is a float. The one
// exception is v = −2ᵏ, whose offset would need another bit; blocks that have such a value take one
// more instruction. And Σ c · sign = 2 Σ c · step − Σ c.
#pragma once

#include <cuda_runtime.h>

namespace lpdm::cuda {

// How y lies to a landmark's value: above 1, at ½, below 0.
struct Step {
  __device__ static float of(float y, float scale, float offset) {
    return __saturatef(__fmaf_rn(y, scale, offset));
  }
};
// The same where the table has (1, −v).
struct ExactStep {
  static constexpr float kLarge = 1.7014118e38F;  // 2¹²⁷
  __device__ static float of(float y, float scale, float offset) {
    return __saturatef(__fmaf_rn(__fmaf_rn(y, scale, offset), kLarge, 0.5F));
  }
};
struct Difference {
  __device__ static float of(float y, float scale, float offset) {
    return __fmaf_rn(y, scale, offset);
  }
};

inline constexpr unsigned kExponent = 0x7F800000U, kMantissa = 0x007FFFFFU;

// Whether a value's step takes two instructions.
__device__ inline bool needs_exact_step(float value) {
  const unsigned bits = __float_as_uint(value);
  return value < 0.0F && (bits & kMantissa) == 0 && (bits & kExponent) != 0;
}

// 1 / 2u. Differences below 2⁻¹²⁸ are none.
__device__ inline float step_scale(float value) {
  constexpr int kShift = 23;
  const unsigned bits = __float_as_uint(value);
  // 2ᵏ has its nearest neighbour below it, at half the distance of that above.
  const int finer = (bits & kMantissa) == 0 ? 1 : 0;
  const int exponent = 276 - static_cast<int>((bits & kExponent) >> kShift) + finer;
  return __uint_as_float(static_cast<unsigned>(min(exponent, 254)) << kShift);
}

}  // namespace lpdm::cuda
