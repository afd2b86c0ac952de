#include "cpu/pairs/pairwise_error.h"

#include <algorithm>

#include "cpu/pairs/pairwise_tile.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/pairs/pairwise_error.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace lpdm::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Lanes = hn::CappedTag<float, kPanelWidth>;
using Vector = hn::Vec<Lanes>;

void target_tile(const TargetTile& tile) {
  const Lanes lanes;
  const auto width = static_cast<std::int64_t>(hn::Lanes(lanes));
  const Vector input_scale = hn::Set(lanes, tile.input_scale);
  const Vector target_scale = hn::Set(lanes, tile.target_scale);
  for (std::int64_t r = 0; r < tile.rows; ++r) {
    for (std::int64_t c = 0; c < tile.stride; c += width) {
      float* at = tile.distances + r * tile.stride + c;
      Vector target = hn::Mul(hn::Load(lanes, at), input_scale);
      if (tile.row_shift != nullptr) {
        const Vector shift =
            hn::Add(hn::Set(lanes, tile.row_shift[r]), hn::LoadU(lanes, tile.column_shift + c));
        target = hn::Add(target, shift);
      }
      hn::Store(hn::Mul(target, target_scale), lanes, at);
    }
  }
}

// Whether the ends of pairs keep each other: ½ where they do, else 0.
struct EndLimits {
  Vector closest, closest_column, furthest, furthest_column;

  HWY_INLINE Vector half_if_kept(Lanes lanes, Vector target, Vector column) const {
    const auto close = hn::Or(hn::Lt(target, closest),
                              hn::And(hn::Eq(target, closest), hn::Le(column, closest_column)));
    const auto far = hn::Or(hn::Gt(target, furthest),
                            hn::And(hn::Eq(target, furthest), hn::Ge(column, furthest_column)));
    return hn::IfThenElseZero(hn::Or(close, far), hn::Set(lanes, 0.5F));
  }
};

void weight_tile(const WeightTile& tile) {
  const Lanes lanes;
  const auto width = static_cast<std::int64_t>(hn::Lanes(lanes));
  for (std::int64_t r = 0; r < tile.rows; ++r) {
    const EndLimits row{
        hn::Set(lanes, tile.row_closest.values[r]), hn::Set(lanes, tile.row_closest.columns[r]),
        hn::Set(lanes, tile.row_furthest.values[r]), hn::Set(lanes, tile.row_furthest.columns[r])};
    const Vector row_index = hn::Set(lanes, static_cast<float>(r));
    for (std::int64_t c = 0; c < kTile; c += width) {
      const EndLimits column{hn::LoadU(lanes, tile.column_closest.values + c),
                             hn::LoadU(lanes, tile.column_closest.columns + c),
                             hn::LoadU(lanes, tile.column_furthest.values + c),
                             hn::LoadU(lanes, tile.column_furthest.columns + c)};
      const Vector target = hn::Load(lanes, tile.target + r * kTile + c);
      const Vector weight =
          hn::Add(row.half_if_kept(lanes, target, hn::Iota(lanes, static_cast<float>(c))),
                  column.half_if_kept(lanes, target, row_index));
      hn::Store(weight, lanes, tile.weights + r * kTile + c);
    }
  }
}

// Float sums of a few rows; short enough that their rounding stays far below the loss's tolerance.
constexpr std::int64_t kPairsPerSum = 256;

struct RowSums {
  Vector error_squared, error_distance, target, target_squared, distance, distance_squared,
      target_distance;

  explicit RowSums(Lanes lanes)
      : error_squared(hn::Zero(lanes)),
        error_distance(hn::Zero(lanes)),
        target(hn::Zero(lanes)),
        target_squared(hn::Zero(lanes)),
        distance(hn::Zero(lanes)),
        distance_squared(hn::Zero(lanes)),
        target_distance(hn::Zero(lanes)) {}

  // The weighted ones are the others times the pairs' weights.
  HWY_INLINE void add(Vector error, Vector t, Vector d, Vector weighted_error, Vector weighted_t,
                      Vector weighted_d) {
    error_squared = hn::MulAdd(weighted_error, error, error_squared);
    error_distance = hn::MulAdd(weighted_error, d, error_distance);
    target = hn::Add(weighted_t, target);
    target_squared = hn::MulAdd(weighted_t, t, target_squared);
    distance = hn::Add(weighted_d, distance);
    distance_squared = hn::MulAdd(weighted_d, d, distance_squared);
    target_distance = hn::MulAdd(weighted_t, d, target_distance);
  }

  // Each unordered pair stands for two entries.
  void add_twice_to(Lanes lanes, PairSums& sums) const {
    const auto total = [lanes](Vector v) {
      return 2.0 * static_cast<double>(hn::GetLane(hn::SumOfLanes(lanes, v)));
    };
    sums.error_squared += total(error_squared);
    sums.error_distance += total(error_distance);
    sums.target += total(target);
    sums.target_squared += total(target_squared);
    sums.distance += total(distance);
    sums.distance_squared += total(distance_squared);
    sums.target_distance += total(target_distance);
  }
};

// What is the same for all pairs of a tile.
struct ErrorConstants {
  Vector target_weight, distance_weight, maximum, maximum_coefficient;
  bool at_maximum = false;  // whether the maximum has a coefficient of its own
  bool l2 = false;

  ErrorConstants(Lanes lanes, const ErrorTile& tile)
      : target_weight(hn::Set(lanes, tile.target_weight)),
        distance_weight(hn::Set(lanes, tile.distance_weight)),
        maximum(hn::Set(lanes, tile.maximum)),
        maximum_coefficient(hn::Set(lanes, tile.maximum_coefficient)),
        at_maximum(tile.maximum_coefficient != 0.0F),
        l2(tile.metric == Metric::kL2) {}
};

// A vector of pairs; with kPart only the first `pairs` of them. Returns their coefficients.
template <bool kWeighted, bool kPart>
HWY_INLINE Vector error_step(Lanes lanes, const ErrorTile& tile, const ErrorConstants& constants,
                             std::int64_t row, std::int64_t column, std::int64_t pairs,
                             RowSums& sums, Vector& largest) {
  const std::int64_t at = row * kTile + column;
  const auto valid = hn::FirstN(lanes, static_cast<std::size_t>(pairs));
  const auto keep = [&](Vector v) { return kPart ? hn::IfThenElseZero(valid, v) : v; };
  const Vector t = keep(hn::Load(lanes, tile.target + at));
  const Vector d = keep(hn::Load(lanes, tile.distances + at));
  Vector error = hn::NegMulAdd(constants.distance_weight, d, hn::Mul(constants.target_weight, t));
  if constexpr (kWeighted) {
    const Vector weight = hn::Load(lanes, tile.weights + at);
    const Vector weighted_error = hn::Mul(weight, error);
    sums.add(error, t, d, weighted_error, hn::Mul(weight, t), hn::Mul(weight, d));
    error = weighted_error;
  } else {
    sums.add(error, t, d, error, t, d);
  }
  largest = hn::Max(largest, d);
  if (constants.at_maximum) {
    const auto at_maximum = hn::Eq(d, constants.maximum);
    error = hn::Add(error, hn::IfThenElseZero(at_maximum, constants.maximum_coefficient));
  }
  Vector coefficient = keep(error);
  if (constants.l2) {
    coefficient = hn::IfThenElseZero(hn::Gt(d, hn::Zero(lanes)), hn::Div(coefficient, d));
  }
  return coefficient;
}

template <bool kWeighted>
PairSums error_tile_of(const ErrorTile& tile) {
  const std::int64_t rows_per_sum = std::max<std::int64_t>(kPairsPerSum / kTile, 1);
  const Lanes lanes;
  const auto width = static_cast<std::int64_t>(hn::Lanes(lanes));
  const ErrorConstants constants(lanes, tile);
  PairSums sums;
  Vector largest = hn::Zero(lanes);
  std::fill_n(tile.column_sums, kTile, 0.0F);
  for (std::int64_t first = 0; first < tile.rows; first += rows_per_sum) {
    RowSums row_sums(lanes);
    for (std::int64_t r = first; r < std::min(first + rows_per_sum, tile.rows); ++r) {
      const std::int64_t pairs = tile.diagonal ? std::min(r, tile.columns) : tile.columns;
      Vector row_sum = hn::Zero(lanes);
      const auto keep = [&](std::int64_t c, Vector coefficient) {
        hn::Store(coefficient, lanes, tile.coefficients + r * kTile + c);
        row_sum = hn::Add(row_sum, coefficient);
        float* column_sums = tile.column_sums + c;
        hn::Store(hn::Add(hn::Load(lanes, column_sums), coefficient), lanes, column_sums);
      };
      std::int64_t c = 0;
      for (; c + width <= pairs; c += width) {
        keep(c,
             error_step<kWeighted, false>(lanes, tile, constants, r, c, width, row_sums, largest));
      }
      if (c < pairs) {
        keep(c, error_step<kWeighted, true>(lanes, tile, constants, r, c, pairs - c, row_sums,
                                            largest));
        c += width;
      }
      for (; c < kTile; c += width) {
        hn::Store(hn::Zero(lanes), lanes, tile.coefficients + r * kTile + c);
      }
      tile.row_sums[r] = hn::GetLane(hn::SumOfLanes(lanes, row_sum));
    }
    row_sums.add_twice_to(lanes, sums);
  }
  sums.max_distance = hn::GetLane(hn::MaxOfLanes(lanes, largest));
  return sums;
}

PairSums error_tile(const ErrorTile& tile) {
  return tile.weights != nullptr ? error_tile_of<true>(tile) : error_tile_of<false>(tile);
}

}  // namespace lpdm::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lpdm::cpu {

HWY_EXPORT(target_tile);
HWY_EXPORT(weight_tile);
HWY_EXPORT(error_tile);

void target_tile(const TargetTile& tile) { HWY_DYNAMIC_DISPATCH(target_tile)(tile); }

void weight_tile(const WeightTile& tile) { HWY_DYNAMIC_DISPATCH(weight_tile)(tile); }

PairSums error_tile(const ErrorTile& tile) { return HWY_DYNAMIC_DISPATCH(error_tile)(tile); }

void PairSums::add(const PairSums& other) {
  error_squared += other.error_squared;
  error_distance += other.error_distance;
  target += other.target;
  target_squared += other.target_squared;
  distance += other.distance;
  distance_squared += other.distance_squared;
  target_distance += other.target_distance;
  max_distance = std::max(max_distance, other.max_distance);
}

}  // namespace lpdm::cpu
#endif  // HWY_ONCE
