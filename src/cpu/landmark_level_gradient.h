// The gradient of landmark pairs from levels, as level_gradient.h has it for tiles (Highway,
// run-time dispatch).
#pragma once

#include <cstdint>

#include "cpu/levels.h"

namespace lpdm::cpu {

inline constexpr std::int64_t kLevelGradientRows = 64;  // rows per call

// The gradient of up to kLevelGradientRows rows of the batch, and their part of the landmarks', as
// landmark_gradient in landmark_tile.h.
struct LandmarkLevelGradient {
  std::int64_t rows = 0;
  std::int64_t dim = 0;
  std::int64_t pitch = 0;                         // levels from one row to the next
  const std::int16_t* levels = nullptr;           // (kLevelGradientRows, pitch), all readable
  std::int64_t landmarks = 0;                     // M
  const std::int16_t* landmark_levels = nullptr;  // (level panels, M, kLevelPanelWidth)
  std::int64_t stride = 0;                        // M padded to kLandmarkLanes
  const float* coefficients = nullptr;            // (rows, stride), 0 from M on
  const float* coefficient_sums = nullptr;        // (rows): of a row's coefficients
  float factor = 1.0F;                            // delta = factor · gradient · activation'
  bool through_activation = false;                // else the derivative is left out
  float* delta = nullptr;                         // (rows, dim)
  bool streamed = false;             // past the caches, where delta is larger than they are
  float* landmark_credit = nullptr;  // (level panels, M, kLevelPanelWidth), added to
};

void landmark_level_gradient(const LandmarkLevelGradient& op);

}  // namespace lpdm::cpu
