// The arithmetic in halves that kernels use: each operation rounded to nearest even, as on a
// device.
#pragma once

#include <cmath>

#include "cuda_runtime.h"

struct __half {
  _Float16 value;
};
struct alignas(4) __half2 {
  __half x, y;
};
using half = __half;
using half2 = __half2;

namespace lpdm::shim {

inline __half to_half(float x) { return {static_cast<_Float16>(x)}; }
inline float to_float(__half x) { return static_cast<float>(x.value); }
// For operations whose float32 result rounds to the same half as the exact one.
template <class Operation>
__half2 by_element(__half2 a, __half2 b, const Operation& operation) {
  return {to_half(operation(to_float(a.x), to_float(b.x))),
          to_half(operation(to_float(a.y), to_float(b.y)))};
}

}  // namespace lpdm::shim

inline __half __float2half_rn(float x) { return lpdm::shim::to_half(x); }
inline float __half2float(__half x) { return lpdm::shim::to_float(x); }
inline __half2 __floats2half2_rn(float x, float y) {
  return {lpdm::shim::to_half(x), lpdm::shim::to_half(y)};
}
inline __half2 __float2half2_rn(float x) { return __floats2half2_rn(x, x); }
inline __half2 __half2half2(__half x) { return {x, x}; }
inline float2 __half22float2(__half2 x) { return {__half2float(x.x), __half2float(x.y)}; }
inline float __low2float(__half2 x) { return __half2float(x.x); }
inline float __high2float(__half2 x) { return __half2float(x.y); }
inline __half2 __hadd2(__half2 a, __half2 b) {
  return lpdm::shim::by_element(a, b, [](float x, float y) { return x + y; });
}
inline __half2 __hsub2(__half2 a, __half2 b) {
  return lpdm::shim::by_element(a, b, [](float x, float y) { return x - y; });
}
inline __half2 __hmul2(__half2 a, __half2 b) {
  return lpdm::shim::by_element(a, b, [](float x, float y) { return x * y; });
}
inline __half2 __hsub2_sat(__half2 a, __half2 b) {
  return lpdm::shim::by_element(a, b, [](float x, float y) { return __saturatef(x - y); });
}
inline __half2 __hadd2_sat(__half2 a, __half2 b) {
  return lpdm::shim::by_element(a, b, [](float x, float y) { return __saturatef(x + y); });
}
inline __half2 __habs2(__half2 a) {
  return lpdm::shim::by_element(a, a, [](float x, float) { return std::fabs(x); });
}
// The product of halves is exact in float32 and its sum with a half in float64.
inline __half2 __hfma2(__half2 a, __half2 b, __half2 c) {
  const auto fma = [](__half x, __half y, __half z) {
    const double product = static_cast<double>(__half2float(x)) * __half2float(y);
    return __half{static_cast<_Float16>(product + static_cast<double>(__half2float(z)))};
  };
  return {fma(a.x, b.x, c.x), fma(a.y, b.y, c.y)};
}
