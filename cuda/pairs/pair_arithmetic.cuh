// In what numbers distances are added up: one policy each, all on words of 32 bits.
//
// A policy packs values into words, adds the distance of two words to an accumulator and makes a
// float of it. Sums run over the words in ascending order, so a pair's distance has the same bits
// wherever it is computed.
#pragma once

#include <cuda_fp16.h>
#include <cuda_runtime.h>

#include <cstdint>

namespace lpdm::cuda {

// Distances at least this share of the largest one may be the largest but for rounding; which one
// is decides float64.
inline constexpr float kNearMaximumFp32 = 1.0F - 4e-6F;

// The least such distance of `dim` values each. Where rounding does not become less with the values
// (kValueRounding), neither does what it hides.
template <class Arithmetic>
__device__ float near_maximum(float maximum, std::int64_t dim) {
  return Arithmetic::kNearMaximum * maximum -
         Arithmetic::kValueRounding * sqrtf(static_cast<float>(dim));
}

// Σ |a − b| in float32: FADD, FADD |·|.
struct Fp32L1 {
  using Accumulator = float;
  static constexpr int kValuesPerWord = 1;
  static constexpr int kFlushWords = 0;  // the accumulator holds the whole sum
  static constexpr float kNearMaximum = kNearMaximumFp32, kValueRounding = 0.0F;
  __device__ static std::uint32_t pack(float value, float) { return __float_as_uint(value); }
  __device__ static void add(Accumulator& sum, std::uint32_t a, std::uint32_t b) {
    sum = __fadd_rn(sum, fabsf(__fadd_rn(__uint_as_float(a), -__uint_as_float(b))));
  }
  __device__ static float total(Accumulator sum) { return sum; }
  __device__ static float distance(float total) { return total; }
};

// √Σ (a − b)² in float32.
struct Fp32L2 {
  using Accumulator = float;
  static constexpr int kValuesPerWord = 1;
  static constexpr int kFlushWords = 0;
  static constexpr float kNearMaximum = kNearMaximumFp32, kValueRounding = 0.0F;
  __device__ static std::uint32_t pack(float value, float) { return __float_as_uint(value); }
  __device__ static void add(Accumulator& sum, std::uint32_t a, std::uint32_t b) {
    const float difference = __fadd_rn(__uint_as_float(a), -__uint_as_float(b));
    sum = __fmaf_rn(difference, difference, sum);
  }
  __device__ static float total(Accumulator sum) { return sum; }
  __device__ static float distance(float total) { return __fsqrt_rn(total); }
};

// Σ |a − b| in fixed point, for values in [−1, 1]: one VABSDIFF. A value becomes the float
// rint(y · 2²¹) + 1.5 · 2²², whose bits ascend by 2 with each 2⁻²¹ of y, because floats in
// [2²², 2²³) are halves apart. Differences of bits are therefore differences of values, exact and
// in whatever order they are added. A value's own rounding is at most 2⁻²².
struct Fixed {
  using Accumulator = std::uint32_t;
  static constexpr int kValuesPerWord = 1;
  // |a − b| ≤ 2²³ in bits: 511 of them are below 2³². Before that the sum moves into a float.
  static constexpr int kFlushWords = 496;
  static constexpr float kNearMaximum = kNearMaximumFp32;
  // Of the difference of two distances, by the square root of their values: 3.5 deviations.
  static constexpr float kValueRounding = 1.0F / 1048576.0F;
  static constexpr float kBias = 6291456.0F;           // 1.5 · 2²²
  static constexpr float kValuesPerUnit = 2097152.0F;  // 2²¹
  static constexpr float kUnitsPerBit = 1.0F / 4194304.0F;
  __device__ static std::uint32_t pack(float value, float) {
    return __float_as_uint(__fadd_rn(rintf(__fmul_rn(value, kValuesPerUnit)), kBias));
  }
  __device__ static void add(Accumulator& sum, std::uint32_t a, std::uint32_t b) {
    sum = __usad(a, b, sum);
  }
  __device__ static float total(Accumulator sum) {
    return __fmul_rn(__uint2float_rn(sum), kUnitsPerBit);
  }
  __device__ static float distance(float total) { return total; }
};

// Σ |a − b| in halves, two values a word: HADD2, HADD2 |·|. For values in [−1, 1]; each is rounded
// to 11 bits, and a sum of kFlushWords terms moves into a float before it grows
// coarse.
struct Half2 {
  using Accumulator = __half2;
  static constexpr int kValuesPerWord = 2;
  static constexpr int kFlushWords = 16;
  static constexpr float kNearMaximum = 1.0F - 1e-3F;  // each value is off by 2⁻¹¹ of it at most
  static constexpr float kValueRounding = 0.0F;
  __device__ static std::uint32_t pack(float even, float odd) {
    return word_of(__floats2half2_rn(even, odd));
  }
  __device__ static void add(Accumulator& sum, std::uint32_t a, std::uint32_t b) {
    sum = __hadd2(sum, __habs2(__hsub2(halves_of(a), halves_of(b))));
  }
  __device__ static float total(Accumulator sum) {
    return __fadd_rn(__low2float(sum), __high2float(sum));
  }
  __device__ static float distance(float total) { return total; }

 private:
  union Word {
    std::uint32_t word;
    __half2 halves;
    __device__ Word() {}
  };
  __device__ static std::uint32_t word_of(__half2 halves) {
    Word word;
    word.halves = halves;
    return word.word;
  }
  __device__ static __half2 halves_of(std::uint32_t bits) {
    Word word;
    word.word = bits;
    return word.halves;
  }
};

}  // namespace lpdm::cuda
