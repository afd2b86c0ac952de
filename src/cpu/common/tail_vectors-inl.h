// Loads and stores at the end of a row, where less than a vector is left. Once per SIMD target.
#if defined(LPDM_CPU_TAIL_VECTORS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef LPDM_CPU_TAIL_VECTORS_INL_H_
#undef LPDM_CPU_TAIL_VECTORS_INL_H_
#else
#define LPDM_CPU_TAIL_VECTORS_INL_H_
#endif

#include <hwy/highway.h>

#include <algorithm>
#include <cstdint>

HWY_BEFORE_NAMESPACE();
namespace lpdm::cpu::HWY_NAMESPACE {

// from[0 … available), then zeros; available may be any number.
template <class D>
HWY_INLINE hwy::HWY_NAMESPACE::Vec<D> load_available(D lanes, const float* from,
                                                     std::int64_t available) {
  namespace hn = hwy::HWY_NAMESPACE;
  const auto width = static_cast<std::int64_t>(hn::Lanes(lanes));
  if (HWY_LIKELY(available >= width)) return hn::LoadU(lanes, from);
#if HWY_TARGET <= HWY_AVX2 && HWY_ARCH_X86
  const auto count = static_cast<std::size_t>(std::max<std::int64_t>(available, 0));
  return hn::MaskedLoad(hn::FirstN(lanes, count), lanes, from);  // does not touch the rest
#else
  HWY_ALIGN float buffer[HWY_MAX_BYTES / sizeof(float)] = {};
  std::copy_n(from, std::max<std::int64_t>(available, 0), buffer);
  return hn::Load(lanes, buffer);
#endif
}

// The first `available` lanes at most.
template <class D>
HWY_INLINE void store_available(D lanes, hwy::HWY_NAMESPACE::Vec<D> value, float* to,
                                std::int64_t available) {
  namespace hn = hwy::HWY_NAMESPACE;
  const auto width = static_cast<std::int64_t>(hn::Lanes(lanes));
  if (HWY_LIKELY(available >= width)) {
    hn::StoreU(value, lanes, to);
    return;
  }
  HWY_ALIGN float buffer[HWY_MAX_BYTES / sizeof(float)];
  hn::Store(value, lanes, buffer);
  std::copy_n(buffer, std::max<std::int64_t>(available, 0), to);
}

}  // namespace lpdm::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // LPDM_CPU_TAIL_VECTORS_INL_H_
