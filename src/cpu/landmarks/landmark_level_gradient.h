// The gradient of landmark pairs from levels, as level_gradient.h has it for tiles (Highway,
// run-time dispatch).
#pragma once

#include <cstdint>

#include "cpu/landmarks/landmark_tile.h"
#include "cpu/pairs/levels.h"

namespace lpdm::cpu {

// Rounds the coefficients (rows, stride) of a block, where they lie, to both halves of 32-bit
// words. sums: (rows), of each row's. Returns the unit.
float round_landmark_coefficients(std::int64_t rows, std::int64_t stride, const float* sums,
                                  float* coefficients);

// The gradient of a block's rows in up to kLevelPanelWidth dimensions, and their part of the
// landmarks', as landmark_gradient in landmark_tile.h.
struct LandmarkLevelGradient {
  std::int64_t rows = 0;
  const std::int16_t* levels = nullptr;  // (rows padded to kLandmarkStep,
  // kLevelPanelWidth), all readable
  std::int64_t pitch = 0;                         // levels from one row to the next
  std::int64_t landmarks = 0;                     // M
  const std::int16_t* landmark_levels = nullptr;  // (M, kLevelPanelWidth)
  std::int64_t stride = 0;                        // M padded to kLandmarkLanes
  const float* coefficients = nullptr;      // (rows padded to kLandmarkStep, stride), as above; 0
                                            // beyond `rows`
  float unit = 0.0F;                        // of the coefficients
  const float* coefficient_sums = nullptr;  // (rows): of a row's, before they were rounded
  float factor = 1.0F;                      // delta = factor · gradient · activation'
  bool through_activation = false;          // else the derivative is left out
  std::int64_t dims = 0;
  float* delta = nullptr;            // (rows, dims)
  std::int64_t delta_pitch = 0;      // from one row to the next
  bool streamed = false;             // past the caches, where delta is larger than they are
  float* landmark_credit = nullptr;  // (M, kLevelPanelWidth), added to
};

void landmark_level_gradient(const LandmarkLevelGradient& op);

}  // namespace lpdm::cpu
