// The element-wise part of the local loss on landmark pairs: distances → T, E and their sums
// (Highway, run-time dispatch).
#pragma once

#include <cstdint>

#include "cpu/landmarks/landmark_tile.h"
#include "cpu/pairs/pairwise_error.h"
#include "lpdm/config.h"

namespace lpdm::cpu {

// Some rows against all landmarks: T = (D_X · input_scale + g_row + g_landmark) · target_scale,
// E = target_weight·T − distance_weight·D, and the coefficients of the gradient: E (l1) or E / D
// (l2), 0 in the padding.
//
// Each unordered pair counts once in the coefficients and twice in the sums. A pair of landmarks
// stands in two rows: half of it in each. The diagonal of the landmarks has no coefficient.
struct LandmarkErrors {
  Metric metric = Metric::kL1;
  std::int64_t rows = 0;
  std::int64_t landmarks = 0;         // M
  std::int64_t stride = 0;            // M padded to kLandmarkLanes
  const std::int32_t* own = nullptr;  // (rows): which landmark the row is, or kNotLandmark
  float input_scale = 1.0F;
  float target_scale = 1.0F;
  const float* row_shift = nullptr;        // (rows), null: unguided
  const float* landmark_shift = nullptr;   // (stride), null: unguided
  float target_weight = 0.0F;              // s_T
  float distance_weight = 0.0F;            // s_Y / max D
  float maximum = 0.0F;                    // of D
  float maximum_coefficient = 0.0F;        // added to the coefficient where D = maximum
  const float* input_distances = nullptr;  // (rows, stride): D_X
  float* distances = nullptr;              // (rows, stride): D, then the coefficients
  float* row_sums = nullptr;               // (rows), of the coefficients
  float* column_sums = nullptr;            // (stride), of the coefficients
};

// All sums but max_distance.
PairSums landmark_errors(const LandmarkErrors& op);

}  // namespace lpdm::cpu
