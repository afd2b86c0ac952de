#include "cpu/pairs/level_distance.h"

#include <algorithm>
#include <cstring>

#include "cpu/landmarks/landmark_tile.h"
#include "cpu/pairs/pairwise_tile.h"

// For its sums of 16-bit products, see add_larger.
#define HWY_WANT_AVX3_DL
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/pairs/level_distance.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// Per target, hence after foreach_target.
#include "cpu/pairs/level_sum-inl.h"

HWY_BEFORE_NAMESPACE();
namespace lpdm::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Words = LevelWords;
using WordVector = LevelWordVector;
using Floats = hn::Rebind<float, Words>;

// Rows × vectors of columns whose sums stay in registers.
constexpr int kColumnVectors = 2;
#if HWY_TARGET <= HWY_AVX3 || HWY_ARCH_ARM
constexpr int kRowsPerStep = 8;
#else
constexpr int kRowsPerStep = 4;
#endif
constexpr int kNarrowRows = 8;  // with one vector
static_assert(kDistanceRows % kNarrowRows == 0 && kDistanceRows % kRowsPerStep == 0);

// Stores the distances of kRows × kVectors pairs, of which rows from `rows` on are left out.
template <int kRows, int kVectors>
HWY_INLINE void store(const WordVector (&sum)[kRows][kVectors], const std::int32_t* row_sums,
                      std::int64_t rows, const std::int32_t* column_sums, float step,
                      std::int64_t stride, float* distances) {
  const Words words;
  const Floats floats;
  const auto width = static_cast<std::int64_t>(hn::Lanes(words));
  for (std::int64_t r = 0; r < std::min<std::int64_t>(kRows, rows); ++r) {
    for (std::int64_t v = 0; v < kVectors; ++v) {
      const WordVector both =
          hn::Add(hn::Set(words, row_sums[r]), hn::Load(words, column_sums + v * width));
      const WordVector steps = hn::Sub(hn::Add(sum[r][v], sum[r][v]), both);
      hn::Store(hn::Mul(hn::ConvertTo(floats, steps), hn::Set(floats, step)), floats,
                distances + r * stride + v * width);
    }
  }
}

void level_distance_tile(const LevelDistanceTile& tile) {
  const Words words;
  const auto width = static_cast<std::int64_t>(hn::Lanes(words));
  for (std::int64_t c = 0; c < kTile; c += kColumnVectors * width) {
    const std::int64_t begin = tile.lower_half ? c / kRowsPerStep * kRowsPerStep : 0;
    const std::int32_t* HWY_RESTRICT columns = tile.column_block.words + c;
    for (std::int64_t first = begin; first < tile.rows; first += kRowsPerStep) {
      const std::int32_t* HWY_RESTRICT rows = tile.row_block.words + first;
      WordVector sum[kRowsPerStep][kColumnVectors];
      for (auto& of_row : sum) of_row[0] = of_row[1] = hn::Zero(words);
      for (std::int64_t w = 0; w < tile.words; ++w) {
        const WordVector left = hn::Load(words, columns + w * kTile);
        const WordVector right = hn::Load(words, columns + w * kTile + width);
        HWY_UNROLL(8)
        for (int r = 0; r < kRowsPerStep; ++r) {
          const WordVector row = hn::Set(words, rows[w * kTile + r]);
          sum[r][0] = add_larger(sum[r][0], row, left);
          sum[r][1] = add_larger(sum[r][1], row, right);
        }
      }
      store(sum, tile.row_block.sums + first, kRowsPerStep, tile.column_block.sums + c,
            tile.column_block.step, kTile, tile.distances + first * kTile + c);
    }
  }
}

// kRows rows from `first` on against kVectors vectors of landmarks.
template <int kRows, int kVectors>
HWY_INLINE void landmark_step(const LandmarkLevelDistances& op, std::int64_t first,
                              std::int64_t column) {
  const Words words;
  const auto width = static_cast<std::int64_t>(hn::Lanes(words));
  const std::int16_t* HWY_RESTRICT rows = op.levels + first * op.pitch;
  const std::int32_t* HWY_RESTRICT columns = op.landmark_words + column;
  WordVector sum[kRows][kVectors];
  for (auto& of_row : sum) std::fill_n(of_row, kVectors, hn::Zero(words));
  for (std::int64_t w = 0; w < op.words; ++w) {
    WordVector landmark[kVectors];
    for (int v = 0; v < kVectors; ++v) {
      landmark[v] = hn::Load(words, columns + w * op.stride + v * width);
    }
    HWY_UNROLL(16)
    for (int r = 0; r < kRows; ++r) {
      std::int32_t word;
      std::memcpy(&word, rows + r * op.pitch + 2 * w, sizeof(word));
      const WordVector row = hn::Set(words, word);
      for (int v = 0; v < kVectors; ++v) sum[r][v] = add_larger(sum[r][v], row, landmark[v]);
    }
  }
  store(sum, op.row_sums + first, op.rows - first, op.landmark_sums + column, op.step, op.stride,
        op.distances + first * op.stride + column);
}

void landmark_level_distances(const LandmarkLevelDistances& op) {
  const auto width = static_cast<std::int64_t>(hn::Lanes(Words()));
  std::int64_t column = 0;
  for (; column + kColumnVectors * width <= op.stride; column += kColumnVectors * width) {
    for (std::int64_t r = 0; r < kDistanceRows; r += kRowsPerStep) {
      landmark_step<kRowsPerStep, kColumnVectors>(op, r, column);
    }
  }
  for (; column < op.stride; column += width) {
    for (std::int64_t r = 0; r < kDistanceRows; r += kNarrowRows) {
      landmark_step<kNarrowRows, 1>(op, r, column);
    }
  }
}

}  // namespace lpdm::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lpdm::cpu {

HWY_EXPORT(level_distance_tile);
HWY_EXPORT(landmark_level_distances);

void level_distance_tile(const LevelDistanceTile& tile) {
  HWY_DYNAMIC_DISPATCH(level_distance_tile)(tile);
}

void landmark_level_distances(const LandmarkLevelDistances& op) {
  HWY_DYNAMIC_DISPATCH(landmark_level_distances)(op);
}

}  // namespace lpdm::cpu
#endif  // HWY_ONCE
