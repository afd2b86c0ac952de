// Distances between rows of levels: l1 in whole numbers, exact, times the level's step (Highway,
// run-time dispatch).
//
// |a − b| = 2 max(a, b) − a − b, of two dimensions in each 32-bit lane: a maximum and, where the
// processor multiplies and adds up pairs of 16-bit numbers into 32 bits, one more instruction for
// 32 pair-dimensions, half of what float32 takes.
#pragma once

#include <cstdint>

#include "cpu/pairs/levels.h"

namespace lpdm::cpu {

// A block of kTile rows.
struct LevelBlock {
  const std::int32_t* words = nullptr;  // (words, kTile), transposed
  const std::int32_t* sums = nullptr;   // (kTile): of each row's levels
  float step = 0.0F;                    // what a level stands for
};

// As distance_tile in pairwise_tile.h.
struct LevelDistanceTile {
  LevelBlock row_block;
  std::int64_t rows = 0;
  LevelBlock column_block;
  std::int64_t words = 0;
  bool lower_half = false;
  float* distances = nullptr;  // (kTile, kTile)
};

void level_distance_tile(const LevelDistanceTile& tile);

// Up to kDistanceRows rows against all landmarks, as landmark_distances in landmark_tile.h.
struct LandmarkLevelDistances {
  std::int64_t words = 0;
  float step = 0.0F;
  std::int64_t rows = 0;
  std::int64_t pitch = 0;                        // levels from one row to the next
  const std::int16_t* levels = nullptr;          // (kDistanceRows, pitch), all readable
  const std::int32_t* row_sums = nullptr;        // (rows)
  std::int64_t stride = 0;                       // M padded to kLandmarkLanes
  const std::int32_t* landmark_words = nullptr;  // (words, stride)
  const std::int32_t* landmark_sums = nullptr;   // (stride)
  float* distances = nullptr;                    // (rows, stride)
};

void landmark_level_distances(const LandmarkLevelDistances& op);

}  // namespace lpdm::cpu
