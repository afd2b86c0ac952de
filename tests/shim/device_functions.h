// The built-in functions of CUDA C++ that kernels use, for threads run by BlockRunner.
//
// Blocks run one after another and threads are switched only where they wait, so atomics are plain
// arithmetic and fences are nothing. Rounding follows the device's: see CUDA's C++ Programming
// Guide.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <source_location>
#include <type_traits>

#include "shim/block_runner.h"

using ShimPlace = std::source_location;

// ---- barriers and warps -------------------------------------------------------------------------

inline void __syncthreads(const ShimPlace& where = ShimPlace::current()) {
  lpdm::shim::BlockRunner::current().barrier(0, where);
}
inline int __syncthreads_count(int predicate, const ShimPlace& where = ShimPlace::current()) {
  return lpdm::shim::BlockRunner::current().barrier(predicate, where);
}
inline int __syncthreads_or(int predicate, const ShimPlace& where = ShimPlace::current()) {
  return lpdm::shim::BlockRunner::current().barrier(predicate, where) > 0 ? 1 : 0;
}
inline int __syncthreads_and(int predicate, const ShimPlace& where = ShimPlace::current()) {
  return lpdm::shim::BlockRunner::current().barrier(predicate == 0 ? 1 : 0, where) == 0 ? 1 : 0;
}

namespace lpdm::shim {

template <class T>
std::uint64_t to_bits(T value) {
  static_assert(sizeof(T) <= 8 && std::is_trivially_copyable_v<T>);
  std::uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof(T));
  return bits;
}

template <class T>
T from_bits(std::uint64_t bits) {
  T value;
  std::memcpy(&value, &bits, sizeof(T));
  return value;
}

// The value of lane `source`, which segments of `width` lanes bound as the device does.
template <class T>
T shuffle(unsigned mask, T value, int source, int lowest, int highest, const ShimPlace& where) {
  BlockRunner& runner = BlockRunner::current();
  const auto own = static_cast<int>(runner.lane());
  const std::uint64_t* values = runner.exchange(mask, to_bits(value), where);
  return from_bits<T>(values[source < lowest || source > highest ? own : source]);
}

inline int first_of_segment(int width) {
  return static_cast<int>(BlockRunner::current().lane()) / width * width;
}

}  // namespace lpdm::shim

inline void __syncwarp(unsigned mask = 0xFFFFFFFFU, const ShimPlace& where = ShimPlace::current()) {
  lpdm::shim::BlockRunner::current().exchange(mask, 0, where);
}

template <class T>
T __shfl_sync(unsigned mask, T value, int source, int width = 32,
              const ShimPlace& where = ShimPlace::current()) {
  const int first = lpdm::shim::first_of_segment(width);
  return lpdm::shim::shuffle(mask, value, first + source % width, first, first + width - 1, where);
}
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int bits, int width = 32,
                  const ShimPlace& where = ShimPlace::current()) {
  const int own = static_cast<int>(lpdm::shim::BlockRunner::current().lane());
  const int first = lpdm::shim::first_of_segment(width);
  return lpdm::shim::shuffle(mask, value, own ^ bits, 0, first + width - 1, where);
}
template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32,
                   const ShimPlace& where = ShimPlace::current()) {
  const int own = static_cast<int>(lpdm::shim::BlockRunner::current().lane());
  const int first = lpdm::shim::first_of_segment(width);
  return lpdm::shim::shuffle(mask, value, own + static_cast<int>(delta), first, first + width - 1,
                             where);
}
template <class T>
T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32,
                 const ShimPlace& where = ShimPlace::current()) {
  const int own = static_cast<int>(lpdm::shim::BlockRunner::current().lane());
  const int first = lpdm::shim::first_of_segment(width);
  return lpdm::shim::shuffle(mask, value, own - static_cast<int>(delta), first, first + width - 1,
                             where);
}

inline unsigned __ballot_sync(unsigned mask, int predicate,
                              const ShimPlace& where = ShimPlace::current()) {
  const std::uint64_t* values =
      lpdm::shim::BlockRunner::current().exchange(mask, predicate != 0 ? 1 : 0, where);
  unsigned ballot = 0;
  for (unsigned lane = 0; lane < 32; ++lane) {
    if ((mask >> lane & 1U) != 0) ballot |= static_cast<unsigned>(values[lane] & 1U) << lane;
  }
  return ballot;
}
inline int __any_sync(unsigned mask, int predicate, const ShimPlace& where = ShimPlace::current()) {
  return __ballot_sync(mask, predicate, where) != 0 ? 1 : 0;
}
inline int __all_sync(unsigned mask, int predicate, const ShimPlace& where = ShimPlace::current()) {
  return __ballot_sync(mask, predicate == 0 ? 1 : 0, where) == 0 ? 1 : 0;
}

inline void __threadfence() {}
inline void __threadfence_block() {}
inline void __nanosleep(unsigned) {}

// ---- atomics ------------------------------------------------------------------------------------

template <class T>
T atomicAdd(T* at, std::type_identity_t<T> value) {
  static_assert(std::is_integral_v<T>, "sums of floats by atomics depend on the order of threads");
  const T old = *at;
  *at = static_cast<T>(old + value);
  return old;
}
template <class T>
T atomicMax(T* at, std::type_identity_t<T> value) {
  const T old = *at;
  *at = std::max(old, value);
  return old;
}
template <class T>
T atomicOr(T* at, std::type_identity_t<T> value) {
  const T old = *at;
  *at = old | value;
  return old;
}
template <class T>
T atomicExch(T* at, std::type_identity_t<T> value) {
  const T old = *at;
  *at = value;
  return old;
}
template <class T>
T atomicCAS(T* at, std::type_identity_t<T> compare, std::type_identity_t<T> value) {
  const T old = *at;
  if (old == compare) *at = value;
  return old;
}
// Counts up to limit and starts again at 0.
inline unsigned atomicInc(unsigned* at, unsigned limit) {
  const unsigned old = *at;
  *at = old >= limit ? 0 : old + 1;
  return old;
}

// ---- bits and arithmetic ------------------------------------------------------------------------

inline unsigned __float_as_uint(float x) { return std::bit_cast<unsigned>(x); }
inline float __uint_as_float(unsigned x) { return std::bit_cast<float>(x); }
inline int __float_as_int(float x) { return std::bit_cast<int>(x); }
inline float __int_as_float(int x) { return std::bit_cast<float>(x); }
inline long long __double_as_longlong(double x) { return std::bit_cast<long long>(x); }
inline double __longlong_as_double(long long x) { return std::bit_cast<double>(x); }

inline int __popc(unsigned x) { return std::popcount(x); }
inline int __popcll(unsigned long long x) { return std::popcount(x); }
inline int __clz(int x) { return std::countl_zero(static_cast<unsigned>(x)); }
inline int __ffs(int x) { return x == 0 ? 0 : std::countr_zero(static_cast<unsigned>(x)) + 1; }
inline int __ffsll(long long x) {
  return x == 0 ? 0 : std::countr_zero(static_cast<unsigned long long>(x)) + 1;
}
inline unsigned __umulhi(unsigned a, unsigned b) {
  return static_cast<unsigned>(std::uint64_t{a} * b >> 32);
}
// |x − y| + z
inline unsigned __usad(unsigned x, unsigned y, unsigned z) { return (x > y ? x - y : y - x) + z; }
inline unsigned __sad(int x, int y, unsigned z) {
  return static_cast<unsigned>(x > y ? std::int64_t{x} - y : std::int64_t{y} - x) + z;
}

inline float __saturatef(float x) { return x > 0.0F ? (x < 1.0F ? x : 1.0F) : 0.0F; }  // NaN: 0
inline float __fadd_rn(float x, float y) { return x + y; }
inline float __fsub_rn(float x, float y) { return x - y; }
inline float __fmul_rn(float x, float y) { return x * y; }
inline float __fmaf_rn(float x, float y, float z) { return std::fma(x, y, z); }
inline float __fdiv_rn(float x, float y) { return x / y; }
inline float __fsqrt_rn(float x) { return std::sqrt(x); }
inline float __frcp_rn(float x) { return 1.0F / x; }
inline float __fdividef(float x, float y) { return x / y; }
inline double __dadd_rn(double x, double y) { return x + y; }
inline double __dmul_rn(double x, double y) { return x * y; }
inline float rsqrtf(float x) { return 1.0F / std::sqrt(x); }
inline float __expf(float x) { return std::exp(x); }
inline float __logf(float x) { return std::log(x); }
inline void sincospif(float x, float* sine, float* cosine) {
  constexpr double kPi = 3.14159265358979323846;
  *sine = static_cast<float>(std::sin(kPi * std::remainder(static_cast<double>(x), 2.0)));
  *cosine = static_cast<float>(std::cos(kPi * std::remainder(static_cast<double>(x), 2.0)));
}
inline float __int2float_rn(int x) { return static_cast<float>(x); }
inline float __uint2float_rn(unsigned x) { return static_cast<float>(x); }
inline int __float2int_rn(float x) { return static_cast<int>(std::nearbyint(x)); }
inline float __double2float_rn(double x) { return static_cast<float>(x); }

// Global functions in CUDA C++, for any two numbers.
template <class A, class B>
requires std::is_arithmetic_v<A> && std::is_arithmetic_v<B>
constexpr std::common_type_t<A, B> min(A a, B b) {
  using T = std::common_type_t<A, B>;
  return static_cast<T>(b) < static_cast<T>(a) ? static_cast<T>(b) : static_cast<T>(a);
}
template <class A, class B>
requires std::is_arithmetic_v<A> && std::is_arithmetic_v<B>
constexpr std::common_type_t<A, B> max(A a, B b) {
  using T = std::common_type_t<A, B>;
  return static_cast<T>(a) < static_cast<T>(b) ? static_cast<T>(b) : static_cast<T>(a);
}

template <class T>
T __ldg(const T* at) {
  return *at;
}
template <class T>
T __ldcg(const T* at) {
  return *at;
}
