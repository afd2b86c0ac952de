#include "cpu/pairs/levels.h"

#include <algorithm>
#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/pairs/levels.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// Per target, hence after foreach_target.
#include "cpu/common/round_to_integer-inl.h"
#include "cpu/common/tail_vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace lpdm::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Lanes = hn::CappedTag<float, 16>;
using Vector = hn::Vec<Lanes>;
using Words = hn::RebindToSigned<Lanes>;

bool to_levels(const float* output, std::int64_t rows, std::int64_t dim, std::int64_t stride,
               std::int16_t* levels, std::int32_t* sums) {
  const Lanes lanes;
  const Words words;
  const hn::Rebind<std::int16_t, Lanes> halves;
  const auto width = static_cast<std::int64_t>(hn::Lanes(lanes));
  const Vector zero = hn::Zero(lanes);
  const Vector scale = hn::Set(lanes, kLargestLevel);
  Vector finite = zero;  // NaN where an output is not
  for (std::int64_t r = 0; r < rows; ++r) {
    const float* from = output + r * dim;
    auto sum = hn::Zero(words);
    const auto quantize = [&](std::int64_t d, Vector value) {
      finite = hn::MulAdd(value, zero, finite);
      const auto level = round_to_integer(lanes, value, scale);
      sum = hn::Add(sum, level);
      hn::StoreU(hn::DemoteTo(halves, level), halves, levels + r * stride + d);
    };
    std::int64_t d = 0;
    for (; d + width <= dim; d += width) quantize(d, hn::LoadU(lanes, from + d));
    for (; d < stride; d += width) quantize(d, load_available(lanes, from + d, dim - d));
    sums[r] = hn::GetLane(hn::SumOfLanes(words, sum));
  }
  return hn::GetLane(hn::SumOfLanes(lanes, finite)) == 0.0F;
}

#if HWY_TARGET == HWY_SCALAR

void transpose_words(const std::int16_t* levels, std::int64_t rows, std::int64_t stride,
                     std::int64_t words, std::int32_t* to) {
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t w = 0; w < words; ++w) {
      std::memcpy(to + w * rows + r, levels + r * stride + 2 * w, sizeof(*to));
    }
  }
}

#else

void transpose_words(const std::int16_t* levels, std::int64_t rows, std::int64_t stride,
                     std::int64_t words, std::int32_t* to) {
  constexpr std::int64_t kSide = 4;
  const hn::FixedTag<std::int32_t, kSide> four;
  const hn::RepartitionToWide<decltype(four)> two;
  const auto load = [&](std::int64_t row, std::int64_t word) {
    const std::int16_t* from = levels + row * stride + 2 * word;
    return hn::LoadU(four, reinterpret_cast<const std::int32_t*>(from));
  };
  for (std::int64_t w = 0; w < words; w += kSide) {
    for (std::int64_t r = 0; r < rows; r += kSide) {
      const auto a = load(r, w), b = load(r + 1, w), c = load(r + 2, w), d = load(r + 3, w);
      const auto ab_low = hn::BitCast(two, hn::InterleaveLower(four, a, b));
      const auto ab_high = hn::BitCast(two, hn::InterleaveUpper(four, a, b));
      const auto cd_low = hn::BitCast(two, hn::InterleaveLower(four, c, d));
      const auto cd_high = hn::BitCast(two, hn::InterleaveUpper(four, c, d));
      const decltype(ab_low) columns[kSide] = {
          hn::InterleaveLower(two, ab_low, cd_low), hn::InterleaveUpper(two, ab_low, cd_low),
          hn::InterleaveLower(two, ab_high, cd_high), hn::InterleaveUpper(two, ab_high, cd_high)};
      for (std::int64_t k = 0; k < std::min(kSide, words - w); ++k) {
        hn::StoreU(hn::BitCast(four, columns[k]), four, to + (w + k) * rows + r);
      }
    }
  }
}

#endif

}  // namespace lpdm::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lpdm::cpu {

HWY_EXPORT(to_levels);
HWY_EXPORT(transpose_words);

void transpose_words(const std::int16_t* levels, std::int64_t rows, std::int64_t stride,
                     std::int64_t words, std::int32_t* to) {
  HWY_DYNAMIC_DISPATCH(transpose_words)(levels, rows, stride, words, to);
}

bool to_levels(const float* output, std::int64_t rows, std::int64_t dim, std::int64_t stride,
               std::int16_t* levels, std::int32_t* sums) {
  return HWY_DYNAMIC_DISPATCH(to_levels)(output, rows, dim, stride, levels, sums);
}

}  // namespace lpdm::cpu
#endif  // HWY_ONCE
