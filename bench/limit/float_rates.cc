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
#include "pair_loops-inl.h"

HWY_BEFORE_NAMESPACE();
namespace lpdm::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

struct FloatPairs {
  using Lanes = hn::CappedTag<float, 16>;
  using Word = float;
  using Vector = hn::Vec<Lanes>;

  static std::int64_t words() { return static_cast<std::int64_t>(hn::Lanes(Lanes())); }
  static std::int64_t dimensions() { return words(); }
  HWY_INLINE static Vector zero() { return hn::Zero(Lanes()); }
  HWY_INLINE static Vector all(float value) { return hn::Set(Lanes(), value); }
  HWY_INLINE static Vector load(const float* values) { return hn::Load(Lanes(), values); }
  HWY_INLINE static Vector total(Vector a, Vector b) { return hn::Add(a, b); }
  static double first(Vector vector) { return static_cast<double>(hn::GetLane(vector)); }
  HWY_INLINE static Vector plus(Vector sum, Vector row, Vector column) {
    return accumulate_distance<Metric::kL1>(sum, row, column);
  }
  HWY_INLINE static void credit(Vector column, Vector row, Vector coefficient,
                                Vector& column_credit, Vector& row_credit) {
    add_pair<PairRule::kDistinct>(column, row, coefficient, column_credit, row_credit);
  }
};

std::int64_t float_distances(const float* values, double* checksum) {
  return distance_loop<FloatPairs>(values, checksum);
}

std::int64_t float_gradients(const float* values, double* checksum) {
  return gradient_loop<FloatPairs>(values, checksum);
}

}  // namespace lpdm::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lpdm::cpu {
HWY_EXPORT(float_distances);
HWY_EXPORT(float_gradients);
}  // namespace lpdm::cpu

namespace lpdm::limit {

Rates float_rates() {
  alignas(64) float values[kWords];
  for (int i = 0; i < kWords; ++i) values[i] = std::sin(0.7F * static_cast<float>(i));
  return best_rates(
      [&](double* sum) { return HWY_DYNAMIC_DISPATCH(cpu::float_distances)(values, sum); },
      [&](double* sum) { return HWY_DYNAMIC_DISPATCH(cpu::float_gradients)(values, sum); });
}

}  // namespace lpdm::limit
#endif  // HWY_ONCE
