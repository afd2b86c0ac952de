// 16-bit levels, twice as many to a vector: the l1 distance takes a maximum and a multiply-addition
// of pairs (two instructions where there is none), the gradient a comparison and two masked
// additions.
#include <cstdint>

#include "rates.h"

#define HWY_WANT_AVX3_DL  // as level_distance.cc does
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "level_rates.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// Per target, hence after foreach_target.
#include "cpu/pairs/level_credit-inl.h"
#include "cpu/pairs/level_sum-inl.h"

HWY_BEFORE_NAMESPACE();
namespace lpdm::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
using limit::kColumns;
using limit::kPasses;

constexpr int kRows = static_cast<int>(kColumnsPerStep);

// Both return the number of pair-dimensions worked on and add what they found to *checksum.
std::int64_t level_distances(const std::int32_t* values, double* checksum) {
  const LevelWords words;
  const auto width = static_cast<std::int64_t>(hn::Lanes(words));
  LevelWordVector row[kRows], sum[kRows][2];
  for (int r = 0; r < kRows; ++r) {
    row[r] = hn::Set(words, values[r]);
    sum[r][0] = sum[r][1] = hn::Zero(words);
  }
  for (int pass = 0; pass < kPasses; ++pass) {
    for (std::int64_t c = 0; c < kColumns; c += 2) {
      const LevelWordVector first = hn::Load(words, values + c * width);
      const LevelWordVector second = hn::Load(words, values + (c + 1) * width);
      HWY_UNROLL(8)
      for (int r = 0; r < kRows; ++r) {
        sum[r][0] = add_larger(sum[r][0], row[r], first);
        sum[r][1] = add_larger(sum[r][1], row[r], second);
      }
    }
  }
  LevelWordVector total = hn::Zero(words);
  for (int r = 0; r < kRows; ++r) total = hn::Add(total, hn::Add(sum[r][0], sum[r][1]));
  *checksum += static_cast<double>(hn::GetLane(hn::SumOfLanes(words, total)));
  return kPasses * kColumns * kRows * 2 * width;
}

std::int64_t level_gradients(const std::int32_t* values, double* checksum) {
  const Levels levels;
  const auto width = static_cast<std::int64_t>(hn::Lanes(levels));
  const auto* columns = reinterpret_cast<const std::int16_t*>(values);
  LevelVector row[kRows], coefficient[kRows], sum[kRows];
  for (int r = 0; r < kRows; ++r) {
    row[r] = broadcast(values[r]);
    coefficient[r] = broadcast(values[r + 1]);
    sum[r] = hn::Zero(levels);
  }
  LevelVector total = hn::Zero(levels);
  for (int pass = 0; pass < kPasses; ++pass) {
    for (std::int64_t c = 0; c < kColumns; ++c) {
      const LevelVector column = hn::Load(levels, columns + c * width);
      LevelVector column_sum = hn::Zero(levels);
      HWY_UNROLL(8)
      for (int r = 0; r < kRows; ++r) add_pair(column, row[r], coefficient[r], column_sum, sum[r]);
      total = hn::Add(total, column_sum);
    }
  }
  for (int r = 0; r < kRows; ++r) total = hn::Add(total, sum[r]);
  *checksum += static_cast<double>(hn::GetLane(total));
  return kPasses * kColumns * kRows * width;
}

}  // namespace lpdm::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lpdm::cpu {
HWY_EXPORT(level_distances);
HWY_EXPORT(level_gradients);
}  // namespace lpdm::cpu

namespace lpdm::limit {

Rates level_rates() {
  alignas(64) std::int32_t values[2048];
  for (int i = 0; i < 2048; ++i) values[i] = (i * 7919) % 65521 * 32767;  // both halves vary
  Rates rates;
  rates.distances = best_rate(
      [&](double* sum) { return HWY_DYNAMIC_DISPATCH(cpu::level_distances)(values, sum); },
      &rates.checksum);
  rates.gradients = best_rate(
      [&](double* sum) { return HWY_DYNAMIC_DISPATCH(cpu::level_gradients)(values, sum); },
      &rates.checksum);
  return rates;
}

}  // namespace lpdm::limit
#endif  // HWY_ONCE
