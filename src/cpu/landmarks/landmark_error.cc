#include "cpu/landmarks/landmark_error.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/landmarks/landmark_error.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace lpdm::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Lanes = hn::CappedTag<float, kLandmarkLanes>;
using Vector = hn::Vec<Lanes>;

// Pairs per lane whose sums are float32; few enough that their rounding stays far below the loss's
// tolerance.
constexpr std::int64_t kPairsPerSum = 16;

// A sum in float32, added up in float64 now and then, lane by lane.
class Sum {
 public:
  HWY_INLINE Sum() : part_(hn::Zero(Lanes())) { std::fill_n(total_, kLandmarkLanes, 0.0); }

  HWY_INLINE void add(Vector value) { part_ = hn::Add(part_, value); }
  HWY_INLINE void add_product(Vector a, Vector b) { part_ = hn::MulAdd(a, b, part_); }

  HWY_INLINE void flush() {
    alignas(64) float part[kLandmarkLanes] = {};
    hn::Store(part_, Lanes(), part);
    for (std::int64_t k = 0; k < kLandmarkLanes; ++k) total_[k] += part[k];
    part_ = hn::Zero(Lanes());
  }
  double total() const {
    double total = 0.0;
    for (const double lane : total_) total += lane;
    return total;
  }

 private:
  Vector part_;
  alignas(64) double total_[kLandmarkLanes];
};

struct Sums {
  Sum error_squared, error_distance, target, target_squared, distance, distance_squared,
      target_distance;

  HWY_INLINE Sums() {}

  // weighted: the same times the pairs' weight.
  HWY_INLINE void add(Vector error, Vector t, Vector d, Vector weighted_error, Vector weighted_t,
                      Vector weighted_d) {
    error_squared.add_product(weighted_error, error);
    error_distance.add_product(weighted_error, d);
    target.add(weighted_t);
    target_squared.add_product(weighted_t, t);
    distance.add(weighted_d);
    distance_squared.add_product(weighted_d, d);
    target_distance.add_product(weighted_t, d);
  }
  HWY_INLINE void flush() {
    error_squared.flush();
    error_distance.flush();
    target.flush();
    target_squared.flush();
    distance.flush();
    distance_squared.flush();
    target_distance.flush();
  }
  // Of ordered pairs.
  PairSums twice() const {
    return {.error_squared = 2.0 * error_squared.total(),
            .error_distance = 2.0 * error_distance.total(),
            .target = 2.0 * target.total(),
            .target_squared = 2.0 * target_squared.total(),
            .distance = 2.0 * distance.total(),
            .distance_squared = 2.0 * distance_squared.total(),
            .target_distance = 2.0 * target_distance.total()};
  }
};

// What is the same for all rows, as vectors.
struct Constants {
  Vector input_scale, target_scale, target_weight, distance_weight, maximum, maximum_coefficient;

  HWY_INLINE explicit Constants(const LandmarkErrors& op)
      : input_scale(hn::Set(Lanes(), op.input_scale)),
        target_scale(hn::Set(Lanes(), op.target_scale)),
        target_weight(hn::Set(Lanes(), op.target_weight)),
        distance_weight(hn::Set(Lanes(), op.distance_weight)),
        maximum(hn::Set(Lanes(), op.maximum)),
        maximum_coefficient(hn::Set(Lanes(), op.maximum_coefficient)) {}
};

// T of row r and the landmarks from m on.
HWY_INLINE Vector target_of(const LandmarkErrors& op, const Constants& constants, std::int64_t r,
                            std::int64_t m) {
  const Lanes lanes;
  Vector target =
      hn::Mul(hn::Load(lanes, op.input_distances + r * op.stride + m), constants.input_scale);
  if (op.row_shift != nullptr) {
    const Vector shift =
        hn::Add(hn::Set(lanes, op.row_shift[r]), hn::LoadU(lanes, op.landmark_shift + m));
    target = hn::Add(target, shift);
  }
  return hn::Mul(target, constants.target_scale);
}

// Row r. kLandmark: it is one, so its pairs stand in two rows.
template <bool kLandmark>
HWY_INLINE void add_row(const LandmarkErrors& op, const Constants& constants, std::int64_t r,
                        Sums& sums) {
  const Lanes lanes;
  const auto width = static_cast<std::int64_t>(hn::Lanes(lanes));
  const Vector zero = hn::Zero(lanes);
  const Vector half = hn::Set(lanes, 0.5F);
  const Vector own = hn::Set(lanes, static_cast<float>(op.own[r]));
  Vector row_sum = zero;
  for (std::int64_t m = 0; m < op.stride; m += width) {
    float* at = op.distances + r * op.stride + m;
    // Pairs that there are.
    auto valid =
        hn::FirstN(lanes, static_cast<std::size_t>(std::max<std::int64_t>(op.landmarks - m, 0)));
    if constexpr (kLandmark) {
      valid = hn::And(valid, hn::Ne(hn::Iota(lanes, static_cast<float>(m)), own));
    }
    const Vector t = hn::IfThenElseZero(valid, target_of(op, constants, r, m));
    const Vector d = hn::IfThenElseZero(valid, hn::Load(lanes, at));
    Vector error = hn::NegMulAdd(constants.distance_weight, d, hn::Mul(constants.target_weight, t));
    Vector of_maximum = hn::IfThenElseZero(hn::And(hn::Eq(d, constants.maximum), valid),
                                           constants.maximum_coefficient);
    if constexpr (kLandmark) {
      const Vector weighted = hn::Mul(half, error);
      sums.add(error, t, d, weighted, hn::Mul(half, t), hn::Mul(half, d));
      error = weighted;
      of_maximum = hn::Mul(half, of_maximum);
    } else {
      sums.add(error, t, d, error, t, d);
    }
    Vector coefficient = hn::Add(error, of_maximum);
    if (op.metric == Metric::kL2) {
      coefficient = hn::IfThenElseZero(hn::Gt(d, zero), hn::Div(coefficient, d));
    }
    hn::Store(coefficient, lanes, at);
    row_sum = hn::Add(row_sum, coefficient);
    float* column_sums = op.column_sums + m;
    hn::StoreU(hn::Add(hn::LoadU(lanes, column_sums), coefficient), lanes, column_sums);
  }
  op.row_sums[r] = hn::GetLane(hn::SumOfLanes(lanes, row_sum));
}

PairSums landmark_errors(const LandmarkErrors& given) {
  const LandmarkErrors op = given;  // which what is written cannot change
  const auto width = static_cast<std::int64_t>(hn::Lanes(Lanes()));
  const std::int64_t rows_per_sum = std::max<std::int64_t>(kPairsPerSum * width / op.stride, 1);
  const Constants constants(op);
  Sums sums;
  std::fill_n(op.column_sums, op.stride, 0.0F);
  for (std::int64_t first = 0; first < op.rows; first += rows_per_sum) {
    for (std::int64_t r = first; r < std::min(first + rows_per_sum, op.rows); ++r) {
      if (op.own[r] == kNotLandmark) {
        add_row<false>(op, constants, r, sums);
      } else {
        add_row<true>(op, constants, r, sums);
      }
    }
    sums.flush();
  }
  return sums.twice();
}

}  // namespace lpdm::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lpdm::cpu {

HWY_EXPORT(landmark_errors);

PairSums landmark_errors(const LandmarkErrors& op) {
  return HWY_DYNAMIC_DISPATCH(landmark_errors)(op);
}

}  // namespace lpdm::cpu
#endif  // HWY_ONCE
