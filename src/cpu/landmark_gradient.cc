#include <hwy/cache_control.h>

#include <algorithm>

#include "cpu/context.h"
#include "cpu/landmark_tile.h"
#include "cpu/prefetch.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/landmark_gradient.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// Per target, hence after foreach_target.
#include "cpu/activation_slope-inl.h"
#include "cpu/pair_gradient-inl.h"
#include "cpu/tail_vectors-inl.h"
#include "cpu/tie_search-inl.h"

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
static_assert(kLandmarkStep % (2 * kRowsPerStep) == 0);  // see landmark_gradient

// kRowsPerStep rows against all landmarks, in one pair of panels.
struct Step {
  const LandmarkGradient& op;
  std::int64_t first = 0;         // row
  const float* credit = nullptr;  // (M, kPairWidth), of the landmarks
  float* new_credit = nullptr;    // the same, with these rows' part

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

// The lanes [lane, lane + one vector) of both panels. Returns a bit for each row that may be tied
// with a landmark there (kDistinct only).
template <PairRule kRule, bool kWhole>
HWY_INLINE unsigned add_lanes(const Step& step, std::int64_t lane) {
  const Lanes lanes;
  const float* HWY_RESTRICT values = step.landmark_values() + lane;
  const float* HWY_RESTRICT credit = step.credit + lane;
  float* HWY_RESTRICT new_credit = step.new_credit + lane;
  const std::uint16_t* HWY_RESTRICT low_halves =
      step.op.landmarks.low_halves + step.op.pair * step.op.landmarks.count * kPairWidth + 2 * lane;
  const float* HWY_RESTRICT coefficients[kRowsPerStep];
  RowVectors row;
  RowVectors row_credit;
  TieSearch<kRowsPerStep> ties;
  HWY_UNROLL(4)
  for (int r = 0; r < kRowsPerStep; ++r) {
    coefficients[r] = step.op.coefficients + (step.first + r) * step.op.landmarks.stride;
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
      hn::Store(sum[p], lanes, new_credit + m * kPairWidth + p * kPanelWidth);
    }
  }
  write_deltas<kRule, kWhole>(step, lane, row_credit, row);
  unsigned tied = 0;
  if constexpr (kRule == PairRule::kDistinct) {
    for (int r = 0; r < kRowsPerStep; ++r) tied |= unsigned{ties.may_be_tied(r)} << r;
  }
  return tied;
}

template <PairRule kRule>
HWY_NOINLINE unsigned add_step(const Step& step) {
  const auto width = static_cast<std::int64_t>(hn::Lanes(Lanes()));
  unsigned tied = 0;
  for (std::int64_t lane = 0; lane < kPanelWidth; lane += width) {
    tied |= step.whole() ? add_lanes<kRule, true>(step, lane) : add_lanes<kRule, false>(step, lane);
  }
  return tied;
}

// Whether row r of the step equals a landmark other than itself in some dimension of the pair.
HWY_NOINLINE bool equals_landmark(const Step& step, int r) {
  const Lanes lanes;
  const auto width = static_cast<std::int64_t>(hn::Lanes(lanes));
  const std::int64_t count = step.op.landmarks.count;
  const std::int64_t own = step.op.own[step.row(r)];
  auto found = hn::Ne(hn::Zero(lanes), hn::Zero(lanes));
  for (std::int64_t lane = 0; lane < kPairWidth; lane += width) {
    const Vector row = step.load<false>(r, lane);
    const float* values = step.landmark_values() + lane;
    const auto compare = [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t m = begin; m < end; ++m) {
        found = hn::Or(found, hn::Eq(row, hn::Load(lanes, values + m * kPairWidth)));
      }
    };
    compare(0, own == kNotLandmark ? count : own);
    if (own != kNotLandmark) compare(own + 1, count);
  }
  return !hn::AllFalse(lanes, found);
}

// The rows that a step suspects, and those that are landmarks, which it finds equal to themselves.
HWY_INLINE bool has_ties(const Step& step, unsigned suspects) {
  if (HWY_LIKELY(suspects == 0)) return false;
  for (int r = 0; r < kRowsPerStep; ++r) {
    if ((suspects >> r & 1U) != 0 && equals_landmark(step, r)) return true;
  }
  return false;
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
  // Steps take the landmarks' credit from one place to another and back, so that one that turns out
  // to have ties can be repeated; twice as many as end in the first place.
  alignas(64) float other_credit[kMostLandmarks * kPairWidth];
  float* credit = op.landmark_credit;
  float* new_credit = other_credit;
  std::fill_n(credit, op.landmarks.count * kPairWidth, 0.0F);
  const std::int64_t steps = 2 * ceil_div(op.rows, 2 * kRowsPerStep);
  for (std::int64_t s = 0; s < steps; ++s) {
    const Step step{
        .op = op, .first = s * kRowsPerStep, .credit = credit, .new_credit = new_credit};
    prefetch_step(op, step.first + kRowsPerStep);
    if (op.metric == Metric::kL2) {
      add_step<PairRule::kDifference>(step);
    } else if (has_ties(step, add_step<PairRule::kDistinct>(step))) {
      add_step<PairRule::kPossiblyEqual>(step);
    }
    std::swap(credit, new_credit);
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
