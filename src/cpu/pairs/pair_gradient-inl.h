// How one pair enters the gradient of both its ends. Compiled once per SIMD target.
#if defined(LPDM_CPU_PAIR_GRADIENT_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef LPDM_CPU_PAIR_GRADIENT_INL_H_
#undef LPDM_CPU_PAIR_GRADIENT_INL_H_
#else
#define LPDM_CPU_PAIR_GRADIENT_INL_H_
#endif

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace lpdm::cpu::HWY_NAMESPACE {

enum class PairRule {
  kDifference,    // coefficient · (first − second): l2
  kDistinct,      // the whole coefficient if first > second: l1, no equal values
  kPossiblyEqual  // the same, and half of it if first = second: l1
};

// Adds it to the sum of the first end and takes it from that of the second.
template <PairRule kRule, class V>
HWY_INLINE void add_pair(V first, V second, V coefficient, V& first_sum, V& second_sum) {
  namespace hn = hwy::HWY_NAMESPACE;
  if constexpr (kRule == PairRule::kDifference) {
    const V difference = hn::Sub(first, second);
    first_sum = hn::MulAdd(difference, coefficient, first_sum);
    second_sum = hn::NegMulAdd(difference, coefficient, second_sum);
    return;
  }
#if HWY_TARGET <= HWY_AVX3
  if constexpr (kRule == PairRule::kDistinct && sizeof(V) == 64) {
    // Masked additions, which this version of Highway has no name for.
    const __mmask16 larger = _mm512_cmp_ps_mask(second.raw, first.raw, _CMP_LT_OQ);
    first_sum.raw = _mm512_mask_add_ps(first_sum.raw, larger, first_sum.raw, coefficient.raw);
    second_sum.raw = _mm512_mask_sub_ps(second_sum.raw, larger, second_sum.raw, coefficient.raw);
    return;
  }
#endif
  V credit = hn::IfThenElseZero(hn::Lt(second, first), coefficient);
  if constexpr (kRule == PairRule::kPossiblyEqual) {
    const V half = hn::Mul(coefficient, hn::Set(hn::DFromV<V>(), 0.5F));
    credit = hn::Add(credit, hn::IfThenElseZero(hn::Eq(second, first), half));
  }
  first_sum = hn::Add(first_sum, credit);
  second_sum = hn::Sub(second_sum, credit);
}

}  // namespace lpdm::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // LPDM_CPU_PAIR_GRADIENT_INL_H_
