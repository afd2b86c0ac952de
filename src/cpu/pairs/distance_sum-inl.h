// What one dimension adds to the sum that a distance is made of. Compiled once per SIMD target.
#if defined(LPDM_CPU_DISTANCE_SUM_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef LPDM_CPU_DISTANCE_SUM_INL_H_
#undef LPDM_CPU_DISTANCE_SUM_INL_H_
#else
#define LPDM_CPU_DISTANCE_SUM_INL_H_
#endif

#include <hwy/highway.h>

#include "lpdm/config.h"

HWY_BEFORE_NAMESPACE();
namespace lpdm::cpu::HWY_NAMESPACE {

// l1: max(a, b), since |a − b| = 2 max(a, b) − a − b. l2: (a − b)².
template <Metric kMetric, class V>
HWY_INLINE V accumulate_distance(V sum, V a, V b) {
  namespace hn = hwy::HWY_NAMESPACE;
  if constexpr (kMetric == Metric::kL2) {
    const V difference = hn::Sub(a, b);
    return hn::MulAdd(difference, difference, sum);
  }
#if HWY_NATIVE_FMA
  // The same number as by an addition. AMD's processors add where they compare, and multiply
  // elsewhere: nearly twice as many sums in the same time; on Intel's and Arm's it is all one.
  return hn::MulAdd(hn::Max(a, b), hn::Set(hn::DFromV<V>(), 1.0F), sum);
#else
  return hn::Add(sum, hn::Max(a, b));
#endif
}

}  // namespace lpdm::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // LPDM_CPU_DISTANCE_SUM_INL_H_
