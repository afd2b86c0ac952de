// Rounding of small numbers in two instructions. Compiled once per SIMD target.
#if defined(LPDM_CPU_ROUND_TO_INTEGER_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef LPDM_CPU_ROUND_TO_INTEGER_INL_H_
#undef LPDM_CPU_ROUND_TO_INTEGER_INL_H_
#else
#define LPDM_CPU_ROUND_TO_INTEGER_INL_H_
#endif

#include <hwy/highway.h>

#include <cmath>

HWY_BEFORE_NAMESPACE();
namespace lpdm::cpu::HWY_NAMESPACE {

// value · scale as the nearest integer, which must lie within ±2²²; anything if it is not finite.
// 1.5 · 2²³ leaves a sum no room for fractions: its last bits are the integer. Rounded once on
// every target, so that levels are the same on all of them.
template <class D>
HWY_INLINE auto round_to_integer(D lanes, hwy::HWY_NAMESPACE::Vec<D> value,
                                 hwy::HWY_NAMESPACE::Vec<D> scale) {
  namespace hn = hwy::HWY_NAMESPACE;
  const hn::RebindToSigned<D> integers;
  const auto magic = hn::Set(lanes, 0x1.8p23F);
#if HWY_TARGET == HWY_SCALAR  // whose MulAdd rounds twice
  const hwy::HWY_NAMESPACE::Vec<D> sum(std::fma(value.raw, scale.raw, magic.raw));
#else
  const auto sum = hn::MulAdd(value, scale, magic);
#endif
  return hn::Sub(hn::BitCast(integers, sum), hn::BitCast(integers, magic));
}

}  // namespace lpdm::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // LPDM_CPU_ROUND_TO_INTEGER_INL_H_
