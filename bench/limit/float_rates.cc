// float32: per vector of dimensions of a pair, the l1 distance takes a maximum and an addition, the
// gradient a comparison and two masked additions.
#include <cmath>
#include <cstdint>

#include "rates.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "float_rates.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// Per target, hence after foreach_target.
#include "cpu/pairs/distance_sum-inl.h"
#include "cpu/pairs/pair_gradient-inl.h"

HWY_BEFORE_NAMESPACE();
namespace lpdm::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
using limit::kColumns;
using limit::kPasses;

using Lanes = hn::CappedTag<float, 16>;
using Vector = hn::Vec<Lanes>;

#if HWY_TARGET <= HWY_AVX3 || HWY_ARCH_ARM
constexpr int kRows = 8;
#else
constexpr int kRows = 4;
#endif
// Both return the number of pair-dimensions worked on and add what they found to *checksum.
std::int64_t distances(const float* values, double* checksum) {
  const Lanes lanes;
  const auto width = static_cast<std::int64_t>(hn::Lanes(lanes));
  Vector row[kRows], sum[kRows][2];
  for (int r = 0; r < kRows; ++r) {
    row[r] = hn::Set(lanes, values[r]);
    sum[r][0] = sum[r][1] = hn::Zero(lanes);
  }
  for (int pass = 0; pass < kPasses; ++pass) {
    for (std::int64_t c = 0; c < kColumns; c += 2) {
      const Vector first = hn::Load(lanes, values + c * width);
      const Vector second = hn::Load(lanes, values + (c + 1) * width);
      HWY_UNROLL(8)
      for (int r = 0; r < kRows; ++r) {
        sum[r][0] = accumulate_distance<Metric::kL1>(sum[r][0], row[r], first);
        sum[r][1] = accumulate_distance<Metric::kL1>(sum[r][1], row[r], second);
      }
    }
  }
  Vector total = hn::Zero(lanes);
  for (int r = 0; r < kRows; ++r) total = hn::Add(total, hn::Add(sum[r][0], sum[r][1]));
  *checksum += static_cast<double>(hn::GetLane(hn::SumOfLanes(lanes, total)));
  return kPasses * kColumns * kRows * width;
}

std::int64_t gradients(const float* values, double* checksum) {
  const Lanes lanes;
  const auto width = static_cast<std::int64_t>(hn::Lanes(lanes));
  Vector row[kRows], coefficient[kRows], sum[kRows];
  for (int r = 0; r < kRows; ++r) {
    row[r] = hn::Set(lanes, values[r]);
    coefficient[r] = hn::Set(lanes, 1e-3F * values[r + 1]);
    sum[r] = hn::Zero(lanes);
  }
  Vector total = hn::Zero(lanes);
  for (int pass = 0; pass < kPasses; ++pass) {
    for (std::int64_t c = 0; c < kColumns; ++c) {
      const Vector column = hn::Load(lanes, values + c * width);
      Vector column_sum = hn::Zero(lanes);
      HWY_UNROLL(8)
      for (int r = 0; r < kRows; ++r) {
        add_pair<PairRule::kDistinct>(column, row[r], coefficient[r], column_sum, sum[r]);
      }
      total = hn::Add(total, column_sum);
    }
  }
  for (int r = 0; r < kRows; ++r) total = hn::Add(total, sum[r]);
  *checksum += static_cast<double>(hn::GetLane(hn::SumOfLanes(lanes, total)));
  return kPasses * kColumns * kRows * width;
}

}  // namespace lpdm::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lpdm::cpu {
HWY_EXPORT(distances);
HWY_EXPORT(gradients);
}  // namespace lpdm::cpu

namespace lpdm::limit {

Rates float_rates() {
  alignas(64) float values[2048];
  for (int i = 0; i < 2048; ++i) values[i] = std::sin(0.7F * static_cast<float>(i));
  Rates rates;
  rates.distances =
      best_rate([&](double* sum) { return HWY_DYNAMIC_DISPATCH(cpu::distances)(values, sum); },
                &rates.checksum);
  rates.gradients =
      best_rate([&](double* sum) { return HWY_DYNAMIC_DISPATCH(cpu::gradients)(values, sum); },
                &rates.checksum);
  return rates;
}

}  // namespace lpdm::limit
#endif  // HWY_ONCE
