// Which pairs of rows an op works on, as kernels are told. All pointers are into device memory.
//
// Pairs lie in a matrix with a row side and a column side. For all pairs both sides are the batch;
// for landmarks one side is the landmarks, the other one the batch.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "lpdm/ops.h"

namespace lpdm::cuda {

// A matrix packed for distances: word k of row r stands at words[k · stride + r]. What a word is
// says the arithmetic (pair_arithmetic.cuh): one value, or two. Rows up to `stride` are there, as
// zeros where there is no row; words up to a multiple of kWordStep.
struct PackedRows {
  const std::uint32_t* words = nullptr;
  std::int64_t stride = 0;
  std::int32_t depth = 0;  // [words] of a row
};

inline constexpr std::int64_t kWordStep = 16;
inline constexpr std::int64_t kRowStep = 128;  // that strides are multiples of

// Rows packed for an arithmetic, but for where they are, and how many words that takes.
constexpr PackedRows packed_shape(std::int64_t dim, std::int64_t capacity, Arithmetic arithmetic) {
  const std::int64_t per_word = arithmetic == Arithmetic::kHalf2 ? 2 : 1;
  return {nullptr, (capacity + kRowStep - 1) / kRowStep * kRowStep,
          static_cast<std::int32_t>((dim + per_word - 1) / per_word)};
}
constexpr std::int64_t packed_words(const PackedRows& rows) {
  return (rows.depth + kWordStep - 1) / kWordStep * kWordStep * rows.stride;
}

struct PairSide {
  const std::int64_t* count = nullptr;  // rows in use
  std::int64_t capacity = 0;
  const std::int64_t* index = nullptr;  // the batch row of each; null: the same
  const float* shift = nullptr;         // guidance, by row of this side; null: unguided
};

// Per row of T the last of the first entries, and the first of the last ones, that the row keeps:
// those with (T, column) ≤ closest or ≥ furthest.
struct RowLimits {
  const float* closest = nullptr;  // null: not sparse
  const std::int64_t* closest_column = nullptr;
  const float* furthest = nullptr;
  const std::int64_t* furthest_column = nullptr;
};

struct PairDomain {
  PairSide rows;
  PairSide columns;
  bool square = true;                      // both sides are the batch
  const std::int32_t* landmark = nullptr;  // by batch row: its place among the landmarks or −1
  const std::int64_t* episode_begin = nullptr;  // by batch row: first row of its episode; null: any
  const std::int64_t* episode_end = nullptr;    // one past the last one
  RowLimits limits;
};

// From a layer's error to the target of the layer above.
struct ErrorLink {
  float error_scale = 0.0F;  // 1 / max |E|; 0 where there is no error
  TargetScales scales;       // of the target made of it
};

// A layer's weights in E = target · T − distance · D.
struct ErrorWeights {
  float target = 0.0F;
  float distance = 0.0F;
  float output = 0.0F;  // distance · max D
  float maximum = 0.0F;
};

inline constexpr int kMostLinks = 16;

struct ChainLink {
  PackedRows rows, columns;               // of the layer that makes the error
  const ErrorWeights* weights = nullptr;  // of that layer
  const ErrorLink* link = nullptr;
};

// How T is made: distances of the input, normalised; then, layer by layer, error propagation.
struct TargetView {
  PackedRows rows, columns;
  const TargetScales* scales = nullptr;
  int links = 0;
  bool one_plus = true;  // the error rule
  ChainLink chain[kMostLinks];
};

}  // namespace lpdm::cuda
