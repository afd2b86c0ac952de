// A cheap search for equal values. Compiled once per SIMD target.
#if defined(LPDM_CPU_TIE_SEARCH_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef LPDM_CPU_TIE_SEARCH_INL_H_
#undef LPDM_CPU_TIE_SEARCH_INL_H_
#else
#define LPDM_CPU_TIE_SEARCH_INL_H_
#endif

#include <hwy/highway.h>

#include <cstdint>

#include "cpu/pairs/pairwise_tile.h"

HWY_BEFORE_NAMESPACE();
namespace lpdm::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Looks for a row that shares the lower half of a value's bits with a landmark: it may be equal to
// it there. Half as many comparisons as the values would take, and wrong once in 2^16 of them.
#if HWY_TARGET == HWY_SCALAR
// There are no narrower lanes: every row may.
template <int kRows>
class TieSearch {
 public:
  template <class V>
  HWY_INLINE void add_row(int, V, V) {}
  HWY_INLINE void compare(const std::uint16_t*) {}
  HWY_INLINE bool may_be_tied() const { return true; }
  HWY_INLINE bool may_be_tied(int) const { return true; }
};
#else
template <int kRows>
class TieSearch {
  using Lanes = hn::CappedTag<float, kPanelWidth>;

 public:
  // Not left to the compiler: GCC 12 would make it without this target's instructions, and then
  // could not inline NEON's vectors' own into it.
  HWY_INLINE TieSearch() {}

  // A row's vectors of both panels.
  HWY_INLINE void add_row(int r, hn::Vec<Lanes> first, hn::Vec<Lanes> second) {
    const hn::RebindToUnsigned<Lanes> words;
    const auto low = hn::And(hn::BitCast(words, first), hn::Set(words, 0xFFFFU));
    row_[r] = hn::BitCast(Halves(), hn::Or(low, hn::ShiftLeft<16>(hn::BitCast(words, second))));
    reset(found_[r]);
  }

  // landmark: the lower halves of a landmark's two vectors, interleaved like the row's.
  HWY_INLINE void compare(const std::uint16_t* landmark) {
    const auto halves = hn::Load(Halves(), landmark);
    HWY_UNROLL(4)
    for (int r = 0; r < kRows; ++r) note_equal(row_[r], halves, found_[r]);
  }

  HWY_INLINE bool may_be_tied(int r) const { return any(found_[r]); }
  HWY_INLINE bool may_be_tied() const {
    bool tied = false;
    for (const Found& found : found_) tied |= any(found);
    return tied;
  }

 private:
  using Halves = hn::Repartition<std::uint16_t, Lanes>;
  using HalfVector = hn::Vec<Halves>;

#if HWY_TARGET <= HWY_AVX3
  // One masked comparison, which this version of Highway has no name for: bits of lanes that were
  // different so far.
  using Found = __mmask32;
  static HWY_INLINE void reset(Found& found) { found = ~Found{0}; }
  static HWY_INLINE void note_equal(HalfVector row, HalfVector landmark, Found& found) {
    found = _mm512_mask_cmpneq_epu16_mask(found, row.raw, landmark.raw);
  }
  static HWY_INLINE bool any(Found found) { return found != ~Found{0}; }
#else
  using Found = HalfVector;
  static HWY_INLINE void reset(Found& found) { found = hn::Zero(Halves()); }
  static HWY_INLINE void note_equal(HalfVector row, HalfVector landmark, Found& found) {
    found = hn::Or(found, hn::VecFromMask(Halves(), hn::Eq(row, landmark)));
  }
  static HWY_INLINE bool any(Found found) {
    return !hn::AllFalse(Halves(), hn::Ne(found, hn::Zero(Halves())));
  }
#endif

  HalfVector row_[kRows];
  Found found_[kRows];
};
#endif

}  // namespace lpdm::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // LPDM_CPU_TIE_SEARCH_INL_H_
