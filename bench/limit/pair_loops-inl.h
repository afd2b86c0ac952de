// The pairwise loops over values that stay in the first cache. Compiled once per SIMD target.
#if defined(LPDM_BENCH_PAIR_LOOPS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef LPDM_BENCH_PAIR_LOOPS_INL_H_
#undef LPDM_BENCH_PAIR_LOOPS_INL_H_
#else
#define LPDM_BENCH_PAIR_LOOPS_INL_H_
#endif

#include <hwy/highway.h>

#include <cstdint>

HWY_BEFORE_NAMESPACE();
namespace lpdm::cpu::HWY_NAMESPACE {

constexpr std::int64_t kColumns = 64;  // vectors of columns: 4 KB of L1 at most
constexpr int kPasses = 500;
#if HWY_TARGET <= HWY_AVX3 || HWY_ARCH_ARM
constexpr int kRows = 8;
#else
constexpr int kRows = 4;
#endif

// Both return the number of pair-dimensions worked on and add what they found to *checksum.
//
// Sums: Word and Vector; zero(), all(word) and load(words), of which vectors are `words()` long and
// have `dimensions()`; plus(sum, row, column) and total(a, b) add; first(vector) is its first lane.
template <class Sums>
HWY_INLINE std::int64_t distance_loop(const typename Sums::Word* values, double* checksum) {
  using Vector = typename Sums::Vector;
  Vector row[kRows], sum[kRows][2];
  for (int r = 0; r < kRows; ++r) {
    row[r] = Sums::all(values[r]);
    sum[r][0] = sum[r][1] = Sums::zero();
  }
  for (int pass = 0; pass < kPasses; ++pass) {
    for (std::int64_t c = 0; c < kColumns; c += 2) {
      const Vector first = Sums::load(values + c * Sums::words());
      const Vector second = Sums::load(values + (c + 1) * Sums::words());
      HWY_UNROLL(8)
      for (int r = 0; r < kRows; ++r) {
        sum[r][0] = Sums::plus(sum[r][0], row[r], first);
        sum[r][1] = Sums::plus(sum[r][1], row[r], second);
      }
    }
  }
  Vector total = Sums::zero();
  for (int r = 0; r < kRows; ++r) total = Sums::total(total, Sums::total(sum[r][0], sum[r][1]));
  *checksum += Sums::first(total);
  return kPasses * kColumns * kRows * Sums::dimensions();
}

// Credits: likewise, and credit(column, row, coefficient, column_credit, row_credit).
template <class Credits>
HWY_INLINE std::int64_t gradient_loop(const typename Credits::Word* values, double* checksum) {
  using Vector = typename Credits::Vector;
  Vector row[kRows], coefficient[kRows], sum[kRows];
  for (int r = 0; r < kRows; ++r) {
    row[r] = Credits::all(values[r]);
    coefficient[r] = Credits::all(values[r + 1]);
    sum[r] = Credits::zero();
  }
  Vector total = Credits::zero();
  for (int pass = 0; pass < kPasses; ++pass) {
    for (std::int64_t c = 0; c < kColumns; ++c) {
      const Vector column = Credits::load(values + c * Credits::words());
      Vector column_sum = Credits::zero();
      HWY_UNROLL(8)
      for (int r = 0; r < kRows; ++r) {
        Credits::credit(column, row[r], coefficient[r], column_sum, sum[r]);
      }
      total = Credits::total(total, column_sum);
    }
  }
  for (int r = 0; r < kRows; ++r) total = Credits::total(total, sum[r]);
  *checksum += Credits::first(total);
  return kPasses * kColumns * kRows * Credits::dimensions();
}

}  // namespace lpdm::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // LPDM_BENCH_PAIR_LOOPS_INL_H_
