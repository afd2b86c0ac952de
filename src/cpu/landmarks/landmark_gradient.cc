#include <hwy/cache_control.h>

#include <algorithm>

#include "cpu/common/context.h"
#include "cpu/common/prefetch.h"
#include "cpu/landmarks/landmark_tile.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/landmarks/landmark_gradient.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// Per target, hence after foreach_target.
#include "cpu/common/activation_slope-inl.h"
#include "cpu/common/tail_vectors-inl.h"
#include "cpu/pairs/pair_gradient-inl.h"
#include "cpu/pairs/tie_search-inl.h"

HWY_BEFORE_NAMESPACE();
namespace lpdm::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Lanes = hn::CappedTag<float, kPanelWidth>;
using Vector = hn::Vec<Lanes>;

// Rows whose values and credits stay in registers, for a vector of each of two panels.
#if HWY_TARGET <= HWY_AVX3 || HWY_ARCH_ARM
constexpr int kRowsPerStep = 4;
#else
constexpr int kRowsPerStep = 2;
#endif
static_assert(kLandmarkStep % kRowsPerStep == 0);

// kRowsPerStep rows against all landmarks, in one pair of panels.
struct Step {
  const LandmarkGradient& op;
  std::int64_t first = 0;  // row

  // Whether all its rows and dimensions exist.
  bool whole() const {
    return first + kRowsPerStep <= op.rows && (op.pair + 1) * kPairWidth <= op.landmarks.dim;
  }
  // Row r of the step; rows beyond the last repeat it, with coefficients 0.
  std::int64_t row(int r) const { return std::min(first + r, op.rows - 1); }
  template <bool kWhole>
  HWY_INLINE Vector load(int r, std::int64_t lane) const {
    const std::int64_t dim = op.landmarks.dim;
    const std::int64_t d = op.pair * kPairWidth + lane;
    if constexpr (kWhole) return hn::LoadU(Lanes(), op.values + (first + r) * dim + d);
    return load_available(Lanes(), op.values + row(r) * dim + d, dim - d);
  }
  template <bool kWhole>
  HWY_INLINE void store_delta(int r, std::int64_t lane, Vector delta) const {
    const std::int64_t dim = op.landmarks.dim;
    const std::int64_t d = op.pair * kPairWidth + lane;
    float* to = op.delta + (first + r) * dim + d;
    if constexpr (kWhole) {
      hn::StoreU(delta, Lanes(), to);
    } else if (first + r < op.rows) {
      store_available(Lanes(), delta, to, dim - d);
    }
  }
  const float* landmark_values() const {
    return op.landmarks.pairs + op.pair * op.landmarks.count * kPairWidth;
  }
  const float* coefficients(int r) const {
    return op.coefficients + (first + r) * op.landmarks.stride;
  }
};

// What a step's registers hold: a vector of both panels for each row.
using RowVectors = Vector[kRowsPerStep][2];

template <PairRule kRule, bool kWhole, Activation kActivation>
HWY_INLINE void write_deltas_of(const Step& step, std::int64_t lane, const RowVectors& credit,
                                const RowVectors& y) {
  const Lanes lanes;
  const Vector factor = hn::Set(lanes, step.op.factor);
  HWY_UNROLL(4)
  for (int r = 0; r < kRowsPerStep; ++r) {
    const Vector sum = hn::Set(lanes, step.op.coefficient_sums[step.row(r)]);
    for (int p = 0; p < 2; ++p) {
      // factor · gradient, which for l1 is 2 · credit − sum.
      const Vector gradient =
          kRule == PairRule::kDifference
              ? hn::Mul(factor, credit[r][p])
              : hn::MulSub(hn::Add(factor, factor), credit[r][p], hn::Mul(factor, sum));
      const Vector delta = hn::Mul(gradient, slope<kActivation>(y[r][p]));
      step.store_delta<kWhole>(r, lane + p * kPanelWidth, delta);
    }
  }
}

template <PairRule kRule, bool kWhole>
HWY_INLINE void write_deltas(const Step& step, std::int64_t lane, const RowVectors& credit,
                             const RowVectors& y) {
  switch (step.op.activation) {
    case Activation::kTanh:
      return write_deltas_of<kRule, kWhole, Activation::kTanh>(step, lane, credit, y);
    case Activation::kRelu:
      return write_deltas_of<kRule, kWhole, Activation::kRelu>(step, lane, credit, y);
    case Activation::kIdentity:
      return write_deltas_of<kRule, kWhole, Activation::kIdentity>(step, lane, credit, y);
  }
}

// The half of a coefficient that both ends of a pair of equal values get: kDistinct leaves it out.
HWY_NOINLINE void add_ties(const Step& step, std::int64_t lane, const RowVectors& row,
                           RowVectors& row_credit) {
  const Lanes lanes;
  for (std::int64_t m = 0; m < step.op.landmarks.count; ++m) {
    for (int p = 0; p < 2; ++p) {
      const std::int64_t at = m * kPairWidth + p * kPanelWidth + lane;
      const Vector landmark = hn::Load(lanes, step.landmark_values() + at);
      Vector credit = hn::Load(lanes, step.op.landmark_credit + at);
      for (int r = 0; r < kRowsPerStep; ++r) {
        const Vector half = hn::Set(lanes, 0.5F * step.coefficients(r)[m]);
        const Vector tied = hn::IfThenElseZero(hn::Eq(row[r][p], landmark), half);
        row_credit[r][p] = hn::Add(row_credit[r][p], tied);
        credit = hn::Sub(credit, tied);
      }
      hn::Store(credit, lanes, step.op.landmark_credit + at);
    }
  }
}

// Whether row r of the step equals a landmark other than itself.
HWY_NOINLINE bool equals_another(const Step& step, std::int64_t lane, int r,
                                 const RowVectors& row) {
  const Lanes lanes;
  const std::int64_t own = step.op.own[step.row(r)];
  auto found = hn::Ne(hn::Zero(lanes), hn::Zero(lanes));
  for (std::int64_t m = 0; m < step.op.landmarks.count; ++m) {
    if (m == own) continue;
    const float* landmark = step.landmark_values() + m * kPairWidth + lane;
    for (int p = 0; p < 2; ++p) {
      found = hn::Or(found, hn::Eq(row[r][p], hn::Load(lanes, landmark + p * kPanelWidth)));
    }
  }
  return !hn::AllFalse(lanes, found);
}

// Of the rows that may be tied; those that are landmarks themselves are always among them, and
// their own pair adds nothing whatever its credit.
HWY_INLINE bool has_ties(const Step& step, std::int64_t lane, const TieSearch<kRowsPerStep>& ties,
                         const RowVectors& row) {
  if (HWY_LIKELY(!ties.may_be_tied())) return false;
  for (int r = 0; r < kRowsPerStep; ++r) {
    if (ties.may_be_tied(r) && equals_another(step, lane, r, row)) return true;
  }
  return false;
}

// The lanes [lane, lane + one vector) of both panels.
template <PairRule kRule, bool kWhole>
HWY_INLINE void add_lanes(const Step& step, std::int64_t lane) {
  const Lanes lanes;
  const float* HWY_RESTRICT values = step.landmark_values() + lane;
  float* HWY_RESTRICT credit = step.op.landmark_credit + lane;
  const std::uint16_t* HWY_RESTRICT low_halves =
      step.op.landmarks.low_halves + step.op.pair * step.op.landmarks.count * kPairWidth + 2 * lane;
  const float* HWY_RESTRICT coefficients[kRowsPerStep];
  RowVectors row;
  RowVectors row_credit;
  TieSearch<kRowsPerStep> ties;
  HWY_UNROLL(4)
  for (int r = 0; r < kRowsPerStep; ++r) {
    coefficients[r] = step.coefficients(r);
    for (int p = 0; p < 2; ++p) {
      row[r][p] = step.load<kWhole>(r, lane + p * kPanelWidth);
      row_credit[r][p] = hn::Zero(lanes);
    }
    ties.add_row(r, row[r][0], row[r][1]);
  }
  const std::int64_t count = step.op.landmarks.count;
  for (std::int64_t m = 0; m < count; ++m) {
    Vector landmark[2];
    Vector sum[2];
    for (int p = 0; p < 2; ++p) {
      landmark[p] = hn::Load(lanes, values + m * kPairWidth + p * kPanelWidth);
      sum[p] = hn::Load(lanes, credit + m * kPairWidth + p * kPanelWidth);
    }
    if constexpr (kRule == PairRule::kDistinct) ties.compare(low_halves + m * kPairWidth);
    HWY_UNROLL(4)
    for (int r = 0; r < kRowsPerStep; ++r) {
      const Vector coefficient = hn::Set(lanes, coefficients[r][m]);
      for (int p = 0; p < 2; ++p) {
        add_pair<kRule>(row[r][p], landmark[p], coefficient, row_credit[r][p], sum[p]);
      }
    }
    for (int p = 0; p < 2; ++p) {
      hn::Store(sum[p], lanes, credit + m * kPairWidth + p * kPanelWidth);
    }
  }
  if constexpr (kRule == PairRule::kDistinct) {
    if (has_ties(step, lane, ties, row)) add_ties(step, lane, row, row_credit);
  }
  write_deltas<kRule, kWhole>(step, lane, row_credit, row);
}

template <PairRule kRule>
HWY_NOINLINE void add_step(const Step& step) {
  const auto width = static_cast<std::int64_t>(hn::Lanes(Lanes()));
  for (std::int64_t lane = 0; lane < kPanelWidth; lane += width) {
    if (step.whole()) {
      add_lanes<kRule, true>(step, lane);
    } else {
      add_lanes<kRule, false>(step, lane);
    }
  }
}

// What a step reads, and what it writes when all landmarks have passed: no processor foresees rows
// that are far apart.
HWY_INLINE void prefetch_step(const LandmarkGradient& op, std::int64_t first) {
  for (std::int64_t row = first; row < std::min(first + kRowsPerStep, op.rows); ++row) {
    const std::int64_t at = row * op.landmarks.dim + op.pair * kPairWidth;
    for (std::int64_t lane = 0; lane < kPairWidth; lane += kPanelWidth) {
      hwy::Prefetch(op.values + at + lane);
      prefetch_for_write(op.delta + at + lane);
    }
  }
}

void landmark_gradient(const LandmarkGradient& op) {
  std::fill_n(op.landmark_credit, op.landmarks.count * kPairWidth, 0.0F);
  for (std::int64_t first = 0; first < op.rows; first += kRowsPerStep) {
    prefetch_step(op, first + kRowsPerStep);
    const Step step{.op = op, .first = first};
    if (op.metric == Metric::kL2) {
      add_step<PairRule::kDifference>(step);
    } else {
      add_step<PairRule::kDistinct>(step);
    }
  }
}

}  // namespace lpdm::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lpdm::cpu {

HWY_EXPORT(landmark_gradient);

void landmark_gradient(const LandmarkGradient& op) { HWY_DYNAMIC_DISPATCH(landmark_gradient)(op); }

}  // namespace lpdm::cpu
#endif  // HWY_ONCE
