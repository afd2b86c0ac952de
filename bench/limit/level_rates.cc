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
#include "pair_loops-inl.h"

HWY_BEFORE_NAMESPACE();
namespace lpdm::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Words are pairs of levels.
struct LevelDistances {
  using Word = std::int32_t;
  using Vector = LevelWordVector;

  static std::int64_t words() { return static_cast<std::int64_t>(hn::Lanes(LevelWords())); }
  static std::int64_t dimensions() { return 2 * words(); }
  HWY_INLINE static Vector zero() { return hn::Zero(LevelWords()); }
  HWY_INLINE static Vector all(Word word) { return hn::Set(LevelWords(), word); }
  HWY_INLINE static Vector load(const Word* words) { return hn::Load(LevelWords(), words); }
  HWY_INLINE static Vector total(Vector a, Vector b) { return hn::Add(a, b); }
  static double first(Vector vector) { return static_cast<double>(hn::GetLane(vector)); }
  HWY_INLINE static Vector plus(Vector sum, Vector row, Vector column) {
    return add_larger(sum, row, column);
  }
};

struct LevelCredits {
  using Word = std::int32_t;
  using Vector = LevelVector;

  static std::int64_t words() { return dimensions() / 2; }
  static std::int64_t dimensions() { return static_cast<std::int64_t>(hn::Lanes(Levels())); }
  HWY_INLINE static Vector zero() { return hn::Zero(Levels()); }
  HWY_INLINE static Vector all(Word word) { return broadcast(word); }
  HWY_INLINE static Vector load(const Word* words) {
    return hn::Load(Levels(), reinterpret_cast<const std::int16_t*>(words));
  }
  HWY_INLINE static Vector total(Vector a, Vector b) { return hn::Add(a, b); }
  static double first(Vector vector) { return static_cast<double>(hn::GetLane(vector)); }
  HWY_INLINE static void credit(Vector column, Vector row, Vector coefficient,
                                Vector& column_credit, Vector& row_credit) {
    add_pair(column, row, coefficient, column_credit, row_credit);
  }
};

std::int64_t level_distances(const std::int32_t* values, double* checksum) {
  return distance_loop<LevelDistances>(values, checksum);
}

std::int64_t level_gradients(const std::int32_t* values, double* checksum) {
  return gradient_loop<LevelCredits>(values, checksum);
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
  alignas(64) std::int32_t values[kWords];
  for (int i = 0; i < kWords; ++i) values[i] = (i * 7919) % 65521 * 32767;  // both halves vary
  return best_rates(
      [&](double* sum) { return HWY_DYNAMIC_DISPATCH(cpu::level_distances)(values, sum); },
      [&](double* sum) { return HWY_DYNAMIC_DISPATCH(cpu::level_gradients)(values, sum); });
}

}  // namespace lpdm::limit
#endif  // HWY_ONCE
