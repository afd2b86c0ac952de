// The landmarks' end of all pairs (Highway, run-time dispatch).
#pragma once

#include <cstdint>

#include "cpu/landmarks/landmark_tile.h"
#include "lpdm/config.h"

namespace lpdm::cpu {

// delta += (scale · Σ_chunks credit + offset) · activation' of all landmarks, in up to kPairWidth
// dimensions.
struct LandmarkEnd {
  std::int64_t landmarks = 0;           // M
  const std::int64_t* index = nullptr;  // (M): their rows
  std::int64_t chunks = 0;
  const float* credit = nullptr;  // (chunks, M, kPairWidth), `chunk_pitch` from one to the next
  std::int64_t chunk_pitch = 0;
  float scale = 1.0F;
  const float* offsets = nullptr;  // (M)
  Activation activation = Activation::kIdentity;
  std::int64_t dims = 0;
  std::int64_t pitch = 0;         // from one row to the next, of values and delta
  const float* values = nullptr;  // (N, dims)
  float* delta = nullptr;         // (N, dims)
};

void add_landmark_end(const LandmarkEnd& op);

}  // namespace lpdm::cpu
