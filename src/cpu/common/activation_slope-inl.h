// The derivative of an activation from its output y, for vectors. Compiled once per SIMD target.
#if defined(LPDM_CPU_ACTIVATION_SLOPE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef LPDM_CPU_ACTIVATION_SLOPE_INL_H_
#undef LPDM_CPU_ACTIVATION_SLOPE_INL_H_
#else
#define LPDM_CPU_ACTIVATION_SLOPE_INL_H_
#endif

#include <hwy/highway.h>

#include "lpdm/config.h"

HWY_BEFORE_NAMESPACE();
namespace lpdm::cpu::HWY_NAMESPACE {

template <Activation kActivation, class V>
HWY_INLINE V slope(V y) {
  namespace hn = hwy::HWY_NAMESPACE;
  const hn::DFromV<V> lanes;
  const V one = hn::Set(lanes, 1.0F);
  if constexpr (kActivation == Activation::kTanh) return hn::NegMulAdd(y, y, one);
  if constexpr (kActivation == Activation::kRelu) {
    return hn::IfThenElseZero(hn::Gt(y, hn::Zero(lanes)), one);
  }
  return one;
}

}  // namespace lpdm::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // LPDM_CPU_ACTIVATION_SLOPE_INL_H_
