#include <algorithm>

#include "cpu/landmarks/landmark_tile.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/landmarks/landmark_distance.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// Per target, hence after foreach_target.
#include "cpu/common/tail_vectors-inl.h"
#include "cpu/pairs/distance_sum-inl.h"

HWY_BEFORE_NAMESPACE();
namespace lpdm::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Lanes = hn::CappedTag<float, kLandmarkLanes>;
using Vector = hn::Vec<Lanes>;

constexpr std::int64_t kChunk = 256;  // dimensions of kDistanceRows rows that are centred at a time
// Rows × vectors of landmarks whose sums stay in registers.
constexpr int kWideRows = 4;
#if HWY_TARGET <= HWY_AVX3 || HWY_ARCH_ARM
constexpr int kWideVectors = 4;
#else
constexpr int kWideVectors = 2;
#endif

// to[d] = from[d] − origin[d] for d < dims, then zeros up to a whole vector; their sum is added.
HWY_INLINE Vector center(const float* from, const float* origin, std::int64_t dims, float* to,
                         Vector sum) {
  const Lanes lanes;
  const auto width = static_cast<std::int64_t>(hn::Lanes(lanes));
  std::int64_t d = 0;
  for (; d + width <= dims; d += width) {
    const Vector value = hn::Sub(hn::LoadU(lanes, from + d), hn::LoadU(lanes, origin + d));
    hn::Store(value, lanes, to + d);
    sum = hn::Add(sum, value);
  }
  if (d == dims) return sum;
  const Vector value = hn::Sub(load_available(lanes, from + d, dims - d),
                               load_available(lanes, origin + d, dims - d));
  hn::Store(value, lanes, to + d);
  return hn::Add(sum, value);
}

// Adds kRows rows of a chunk against kVectors vectors of landmarks to totals.
// rows: (kRows, kChunk), landmarks: (dims, stride), totals: (kRows, stride)
template <Metric kMetric, int kRows, int kVectors>
HWY_INLINE void add_chunk(const float* HWY_RESTRICT rows, std::int64_t dims,
                          const float* HWY_RESTRICT landmarks, std::int64_t stride,
                          float* HWY_RESTRICT totals) {
  const Lanes lanes;
  const auto width = static_cast<std::int64_t>(hn::Lanes(lanes));
  Vector sum[kRows][kVectors];
  HWY_UNROLL(16)
  for (int r = 0; r < kRows; ++r) {
    for (int v = 0; v < kVectors; ++v) {
      sum[r][v] = hn::Load(lanes, totals + r * stride + v * width);
    }
  }
  for (std::int64_t d = 0; d < dims; ++d) {
    Vector landmark[kVectors];
    for (int v = 0; v < kVectors; ++v) {
      landmark[v] = hn::Load(lanes, landmarks + d * stride + v * width);
    }
    HWY_UNROLL(16)
    for (int r = 0; r < kRows; ++r) {
      const Vector row = hn::Set(lanes, rows[r * kChunk + d]);
      for (int v = 0; v < kVectors; ++v) {
        sum[r][v] = accumulate_distance<kMetric>(sum[r][v], row, landmark[v]);
      }
    }
  }
  HWY_UNROLL(16)
  for (int r = 0; r < kRows; ++r) {
    for (int v = 0; v < kVectors; ++v) {
      hn::Store(sum[r][v], lanes, totals + r * stride + v * width);
    }
  }
}

// All kDistanceRows rows of a chunk against all landmarks.
template <Metric kMetric>
void add_rows(const float* rows, std::int64_t dims, const float* landmarks, std::int64_t stride,
              float* totals) {
  const auto width = static_cast<std::int64_t>(hn::Lanes(Lanes()));
  const std::int64_t wide = kWideVectors * width;
  std::int64_t c = 0;
  for (; c + wide <= stride; c += wide) {
    for (std::int64_t r = 0; r < kDistanceRows; r += kWideRows) {
      add_chunk<kMetric, kWideRows, kWideVectors>(rows + r * kChunk, dims, landmarks + c, stride,
                                                  totals + r * stride + c);
    }
  }
  for (; c < stride; c += width) {
    add_chunk<kMetric, kDistanceRows, 1>(rows, dims, landmarks + c, stride, totals + c);
  }
}

template <Metric kMetric>
void distances_of(const LandmarkValues& landmarks, const float* values, std::int64_t rows,
                  float* distances) {
  const Lanes lanes;
  const auto width = static_cast<std::int64_t>(hn::Lanes(lanes));
  const std::int64_t dim = landmarks.dim;
  const std::int64_t stride = landmarks.stride;
  alignas(64) float chunk[kDistanceRows * kChunk];
  if (rows < kDistanceRows) std::fill_n(chunk, kDistanceRows * kChunk, 0.0F);
  alignas(64) float totals[kDistanceRows * kMostLandmarks];
  std::fill_n(totals, kDistanceRows * stride, 0.0F);
  Vector sums[kDistanceRows];
  for (Vector& sum : sums) sum = hn::Zero(lanes);
  for (std::int64_t d = 0; d < dim; d += kChunk) {
    const std::int64_t dims = std::min(kChunk, dim - d);
    for (std::int64_t r = 0; r < rows; ++r) {
      sums[r] =
          center(values + r * dim + d, landmarks.origin + d, dims, chunk + r * kChunk, sums[r]);
    }
    add_rows<kMetric>(chunk, dims, landmarks.transposed + d * stride, stride, totals);
  }
  for (std::int64_t r = 0; r < rows; ++r) {
    const Vector row_sum = hn::SumOfLanes(lanes, sums[r]);
    for (std::int64_t c = 0; c < stride; c += width) {
      const Vector total = hn::Load(lanes, totals + r * stride + c);
      Vector distance;
      if constexpr (kMetric == Metric::kL1) {
        const Vector both = hn::Add(row_sum, hn::Load(lanes, landmarks.sums + c));
        distance = hn::Max(hn::Sub(hn::Add(total, total), both), hn::Zero(lanes));
      } else {
        distance = hn::Sqrt(total);
      }
      hn::Store(distance, lanes, distances + r * stride + c);
    }
  }
}

void landmark_distances(Metric metric, const LandmarkValues& landmarks, const float* values,
                        std::int64_t rows, float* distances) {
  if (metric == Metric::kL1) {
    return distances_of<Metric::kL1>(landmarks, values, rows, distances);
  }
  return distances_of<Metric::kL2>(landmarks, values, rows, distances);
}

// The sum is added as distances_of adds a row's.
float transpose_landmark(const float* landmark, const float* origin, std::int64_t dim,
                         std::int64_t stride, float* transposed) {
  const Lanes lanes;
  alignas(64) float chunk[kChunk];
  Vector sum = hn::Zero(lanes);
  for (std::int64_t first = 0; first < dim; first += kChunk) {
    const std::int64_t dims = std::min(kChunk, dim - first);
    sum = center(landmark + first, origin + first, dims, chunk, sum);
    for (std::int64_t d = 0; d < dims; ++d) transposed[(first + d) * stride] = chunk[d];
  }
  return hn::GetLane(hn::SumOfLanes(lanes, sum));
}

}  // namespace lpdm::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lpdm::cpu {

HWY_EXPORT(landmark_distances);
HWY_EXPORT(transpose_landmark);

void landmark_distances(Metric metric, const LandmarkValues& landmarks, const float* values,
                        std::int64_t rows, float* distances) {
  HWY_DYNAMIC_DISPATCH(landmark_distances)(metric, landmarks, values, rows, distances);
}

float transpose_landmark(const float* landmark, const float* origin, std::int64_t dim,
                         std::int64_t stride, float* transposed) {
  return HWY_DYNAMIC_DISPATCH(transpose_landmark)(landmark, origin, dim, stride, transposed);
}

}  // namespace lpdm::cpu
#endif  // HWY_ONCE
