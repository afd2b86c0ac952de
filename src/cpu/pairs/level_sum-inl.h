// What one word of two levels adds to the sum that a distance is made of. Compiled once per SIMD
// target; define HWY_WANT_AVX3_DL before Highway is included.
#if defined(LPDM_CPU_LEVEL_SUM_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef LPDM_CPU_LEVEL_SUM_INL_H_
#undef LPDM_CPU_LEVEL_SUM_INL_H_
#else
#define LPDM_CPU_LEVEL_SUM_INL_H_
#endif

#include <hwy/highway.h>

#include <cstdint>

HWY_BEFORE_NAMESPACE();
namespace lpdm::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using LevelWords = hn::CappedTag<std::int32_t, 16>;
using LevelWordVector = hn::Vec<LevelWords>;

// sum + max(a, b) of the lower halves + max(a, b) of the upper halves.
HWY_INLINE LevelWordVector add_larger(LevelWordVector sum, LevelWordVector a, LevelWordVector b) {
#if HWY_TARGET <= HWY_AVX2 && HWY_ARCH_X86
  const hn::Repartition<std::int16_t, LevelWords> halves;
  const auto larger = hn::Max(hn::BitCast(halves, a), hn::BitCast(halves, b));
  const auto one = hn::Set(halves, 1);
#if HWY_TARGET <= HWY_AVX3_DL
  if constexpr (sizeof(sum.raw) == 64) {
    // This version of Highway has no name for it, and its target not the compiler's intrinsic.
    asm("vpdpwssd %2, %1, %0" : "+v"(sum.raw) : "v"(larger.raw), "v"(one.raw));
    return sum;
  }
#elif HWY_TARGET == HWY_AVX2
  if constexpr (sizeof(sum.raw) == 32) {
    // In place: GCC gives every new sum a register of its own, and then has too few of them.
    const __m256i both = _mm256_madd_epi16(larger.raw, one.raw);
    asm("vpaddd %1, %0, %0" : "+x"(sum.raw) : "x"(both));
    return sum;
  }
#endif
  auto unused = hn::Zero(LevelWords());  // on x86 adjacent pairs are added up
  return hn::ReorderWidenMulAccumulate(LevelWords(), larger, one, sum, unused);
#else
  const auto lower = [](LevelWordVector v) { return hn::ShiftRight<16>(hn::ShiftLeft<16>(v)); };
  const auto upper = [](LevelWordVector v) { return hn::ShiftRight<16>(v); };
  sum = hn::Add(sum, hn::Max(lower(a), lower(b)));
  return hn::Add(sum, hn::Max(upper(a), upper(b)));
#endif
}

}  // namespace lpdm::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // LPDM_CPU_LEVEL_SUM_INL_H_
