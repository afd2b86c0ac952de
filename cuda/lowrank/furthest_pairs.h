// Large distances in O(N·D): from 1024 rows to the rows furthest from them, and on from there.
//
// With no more rows than that the maximum is among them; with more, nearly always.
#pragma once

#include <cstdint>

#include "common/context.h"
#include "pairs/pair_domain.h"

namespace lpdm::cuda {

inline constexpr std::int64_t kMostStarts = 1024;
inline constexpr int kSweeps = 8;  // in practice two or three find nothing new

// The pairs met. Sweep s asked counts[s] rows; query k of it found the row of `found`.
struct FoundPairs {
  const std::int64_t* counts = nullptr;   // (kSweeps + 1)
  const std::int64_t* queries = nullptr;  // (kSweeps, kMostStarts), batch rows
  const std::uint64_t* found = nullptr;   // likewise: distance's bits << 32 | ~row
};

// What is to be large: D; or, with scales, D · input_scale + g_i + g_j.
FoundPairs find_furthest_pairs(Context& context, const PairSide& batch, const PackedRows& packed,
                               const TargetScales* scales);

__device__ inline float found_distance(std::uint64_t found) {
  return __uint_as_float(static_cast<unsigned>(found >> 32));
}
__device__ inline std::int64_t found_row(std::uint64_t found) {
  return static_cast<std::int64_t>(~static_cast<unsigned>(found & 0xFFFFFFFFU));
}

}  // namespace lpdm::cuda
