// The inner loops of landmark pairs: a few rows of the batch against all M landmarks (Highway,
// run-time dispatch).
//
// Only the landmarks are packed; the batch's rows are read where they lie, once for the distances
// and once for the gradient. M is padded to `stride`, a multiple of kLandmarkLanes.
#pragma once

#include <cstdint>
#include <span>

#include "cpu/pairs/pairwise_tile.h"
#include "lpdm/config.h"

namespace lpdm::cpu {

inline constexpr std::int64_t kLandmarkLanes = 16;  // one AVX-512 vector
inline constexpr std::int64_t kDistanceRows = 16;   // rows per call of landmark_distances
inline constexpr std::int64_t kLandmarkBlock =
    64;  // rows whose coefficients have one unit, in levels
inline constexpr std::int64_t kLandmarkStep = 8;  // rows that gradients take at a time, at most
inline constexpr std::int64_t kMostLandmarks = 256;
inline constexpr std::int32_t kNotLandmark = -1;
inline constexpr std::int64_t kPairWidth = 2 * kPanelWidth;  // dimensions of a pair of panels

inline std::int64_t pairs_of(std::int64_t dim) { return (dim + kPairWidth - 1) / kPairWidth; }
inline std::int64_t pad_landmarks(std::int64_t count) {
  return (count + kLandmarkLanes - 1) / kLandmarkLanes * kLandmarkLanes;
}

// The landmarks' values as both loops read them.
struct LandmarkValues {
  std::int64_t count = 0;   // M
  std::int64_t stride = 0;  // M padded
  std::int64_t dim = 0;
  // For distances: relative to the batch's first row, so that sums are at most max D and cancel
  // well.
  const float* origin = nullptr;      // (dim): that row
  const float* transposed = nullptr;  // (dim, stride)
  const float* sums = nullptr;        // (stride): Σ_d of each column of `transposed`
  // For gradients, by pairs of panels. Padding differs from the zeros that rows are padded with.
  const float* pairs = nullptr;               // (pairs, M, kPairWidth)
  const std::uint16_t* low_halves = nullptr;  // (pairs, M, kPairWidth): the lower halves of their
                                              // bits, those of both panels alternating
};

// transposed[d · stride] = landmark[d] − origin[d] for d < dim: a column of LandmarkValues. Returns
// its sum.
float transpose_landmark(const float* landmark, const float* origin, std::int64_t dim,
                         std::int64_t stride, float* transposed);

// distances (rows, stride) of up to kDistanceRows rows (rows, dim); the padding is unspecified. l1
// uses |a − b| = 2 max(a, b) − a − b: two instructions in place of three.
void landmark_distances(Metric metric, const LandmarkValues& landmarks, const float* values,
                        std::int64_t rows, float* distances);

// Columns of from (rows, columns padded to from_stride) to columns to_column of to (rows, stride).
inline void put_columns(const float* from, std::int64_t from_stride, std::int64_t rows,
                        std::span<const std::int32_t> to_column, std::int64_t stride, float* to) {
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::size_t k = 0; k < to_column.size(); ++k) {
      to[r * stride + to_column[k]] = from[r * from_stride + static_cast<std::int64_t>(k)];
    }
  }
}

// The gradient of some rows in a pair of panels, and their part of the landmarks' gradient.
//
// l1: a pair's coefficient is credited to the row, and taken from the landmark, where the row's
// value is larger, so that Σ_m e_m sign(y − l_m) = 2 · credit − Σ_m e_m, and the landmarks'
// Σ_i e_i sign(l − y_i) = 2 · credit + Σ_i e_i. One comparison and two additions per pair and
// dimension. Where values may be equal, which a cheaper search tells, half is credited: sign(0) =
// 0.
struct LandmarkGradient {
  Metric metric = Metric::kL1;
  LandmarkValues landmarks;
  std::int64_t pair = 0;  // of panels
  std::int64_t rows = 0;
  const float* values = nullptr;            // (rows, dim)
  const std::int32_t* own = nullptr;        // (rows): which landmark the row is, or kNotLandmark
  const float* coefficients = nullptr;      // (rows padded to kLandmarkStep, stride): e (l1) or
                                            // e / D (l2); those beyond `rows` are 0
  const float* coefficient_sums = nullptr;  // (rows): of a row's coefficients
  // delta = factor · gradient · activation'
  float factor = 1.0F;
  Activation activation = Activation::kIdentity;
  float* delta = nullptr;            // (rows, dim)
  float* landmark_credit = nullptr;  // (M, kPairWidth), written; l2: the gradient itself
};

void landmark_gradient(const LandmarkGradient& op);

}  // namespace lpdm::cpu
