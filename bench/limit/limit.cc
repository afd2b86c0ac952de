// The limit of the pairwise passes on this core: their arithmetic alone, on values in the L1 cache.
//
// Per vector of dimensions of a pair, the l1 distance takes a maximum and an addition, the gradient
// a comparison and two masked additions. Prints what these rates make of one update's pairs; the
// share of the limit that the program reaches is that time over its own.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "limit.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// Per target, hence after foreach_target.
#include "cpu/pairs/distance_sum-inl.h"
#include "cpu/pairs/pair_gradient-inl.h"

HWY_BEFORE_NAMESPACE();
namespace lpdm::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Lanes = hn::CappedTag<float, 16>;
using Vector = hn::Vec<Lanes>;

#if HWY_TARGET <= HWY_AVX3 || HWY_ARCH_ARM
constexpr int kRows = 8;
#else
constexpr int kRows = 4;
#endif
constexpr std::int64_t kColumns = 64;  // vectors of columns: 4 KB of L1 at most
constexpr int kPasses = 500;

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

// Pair-dimensions per second, the best of many short runs.
template <class Run>
double best_rate(const Run& run, double* checksum) {
  constexpr int kRuns = 2000;
  double best = 0.0;
  for (int i = 0; i < kRuns; ++i) {
    const auto start = std::chrono::steady_clock::now();
    const std::int64_t work = run(checksum);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    best = std::max(best, static_cast<double>(work) / seconds.count());
  }
  return best;
}

}  // namespace lpdm::cpu

// limit [N] [width of the input] [sum of the hidden widths] [M landmarks, 0: all pairs]
int main(int argc, char** argv) {
  const auto argument = [&](int i, double otherwise) {
    return argc > i ? std::strtod(argv[i], nullptr) : otherwise;
  };
  const double n = argument(1, 1000);
  const double input = argument(2, 17);
  const double hidden = argument(3, 384);
  const double landmarks = argument(4, 0);
  alignas(64) float values[2048];
  for (int i = 0; i < 2048; ++i) values[i] = std::sin(0.7F * static_cast<float>(i));
  double checksum = 0.0;
  const double distances = lpdm::cpu::best_rate(
      [&](double* sum) { return HWY_DYNAMIC_DISPATCH(lpdm::cpu::distances)(values, sum); },
      &checksum);
  const double gradients = lpdm::cpu::best_rate(
      [&](double* sum) { return HWY_DYNAMIC_DISPATCH(lpdm::cpu::gradients)(values, sum); },
      &checksum);
  if (!std::isfinite(checksum)) return 1;
  const double pairs = landmarks > 0 ? n * landmarks : n * (n - 1) / 2;
  std::printf(
      "{\"distance_pair_dims_per_s\": %.4g, \"gradient_pair_dims_per_s\": %.4g, "
      "\"pairs_of_one_update_s\": %.6g}\n",
      distances, gradients, pairs * ((input + hidden) / distances + hidden / gradients));
}
#endif  // HWY_ONCE
