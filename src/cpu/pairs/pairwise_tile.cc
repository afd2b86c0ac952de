#include "cpu/pairs/pairwise_tile.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/pairs/pairwise_tile.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// Per target, hence after foreach_target.
#include "cpu/pairs/distance_sum-inl.h"
#include "cpu/pairs/pair_gradient-inl.h"

HWY_BEFORE_NAMESPACE();
namespace lpdm::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Lanes of at most one gradient panel. Both loops keep kRowsPerStep × 2 accumulators in registers:
// 16 of the 32 that AVX-512 and NEON have, 8 of the 16 elsewhere.
using Lanes = hn::CappedTag<float, kPanelWidth>;
using Vector = hn::Vec<Lanes>;
#if HWY_TARGET <= HWY_AVX3 || HWY_ARCH_ARM
constexpr int kRowsPerStep = 8;
#else
constexpr int kRowsPerStep = 4;
#endif
constexpr int kColumnVectors = 2;

// kRowsPerStep rows against kColumnVectors vectors of columns.
template <Metric kMetric>
HWY_INLINE void distance_step(const float* HWY_RESTRICT rows, const float* HWY_RESTRICT row_sums,
                              const float* HWY_RESTRICT columns,
                              const float* HWY_RESTRICT column_sums, std::int64_t dim,
                              float* HWY_RESTRICT distances) {
  const Lanes lanes;
  const std::size_t width = hn::Lanes(lanes);
  Vector sum[kRowsPerStep][kColumnVectors];
  for (int r = 0; r < kRowsPerStep; ++r) {
    for (int v = 0; v < kColumnVectors; ++v) sum[r][v] = hn::Zero(lanes);
  }
  for (std::int64_t d = 0; d < dim; ++d) {
    const Vector first = hn::Load(lanes, columns + d * kTile);
    const Vector second = hn::Load(lanes, columns + d * kTile + width);
    HWY_UNROLL(8)
    for (int r = 0; r < kRowsPerStep; ++r) {
      const Vector row = hn::Set(lanes, rows[d * kTile + r]);
      sum[r][0] = accumulate_distance<kMetric>(sum[r][0], row, first);
      sum[r][1] = accumulate_distance<kMetric>(sum[r][1], row, second);
    }
  }
  for (int r = 0; r < kRowsPerStep; ++r) {
    for (int v = 0; v < kColumnVectors; ++v) {
      Vector distance;
      if constexpr (kMetric == Metric::kL1) {
        const Vector both =
            hn::Add(hn::Set(lanes, row_sums[r]), hn::Load(lanes, column_sums + v * width));
        distance = hn::Max(hn::Sub(hn::Add(sum[r][v], sum[r][v]), both), hn::Zero(lanes));
      } else {
        distance = hn::Sqrt(sum[r][v]);
      }
      hn::Store(distance, lanes, distances + r * kTile + v * width);
    }
  }
}

template <Metric kMetric>
void distance_tile_of(const BlockPanel& row_block, std::int64_t rows,
                      const BlockPanel& column_block, std::int64_t dim, float* distances,
                      bool lower_half) {
  const auto step = static_cast<std::int64_t>(kColumnVectors * hn::Lanes(Lanes()));
  // The columns of a step stay in the L1 cache while all rows meet them.
  for (std::int64_t c = 0; c < kTile; c += step) {
    const std::int64_t begin = lower_half ? c / kRowsPerStep * kRowsPerStep : 0;
    for (std::int64_t r = begin; r < rows; r += kRowsPerStep) {
      distance_step<kMetric>(row_block.values + r, row_block.sums + r, column_block.values + c,
                             column_block.sums + c, dim, distances + r * kTile + c);
    }
  }
}

void distance_tile(Metric metric, const BlockPanel& row_block, std::int64_t rows,
                   const BlockPanel& column_block, std::int64_t dim, float* distances,
                   bool lower_half) {
  if (metric == Metric::kL1) {
    distance_tile_of<Metric::kL1>(row_block, rows, column_block, dim, distances, lower_half);
  } else {
    distance_tile_of<Metric::kL2>(row_block, rows, column_block, dim, distances, lower_half);
  }
}

float tile_maximum(const float* distances, std::int64_t rows, std::int64_t columns,
                   std::int64_t stride, bool lower_half) {
  const Lanes lanes;
  const auto width = static_cast<std::int64_t>(hn::Lanes(lanes));
  Vector largest = hn::Zero(lanes);
  for (std::int64_t r = 0; r < rows; ++r) {
    const float* row = distances + r * stride;
    const std::int64_t end = lower_half ? std::min(r, columns) : columns;
    std::int64_t c = 0;
    for (; c + width <= end; c += width) largest = hn::Max(largest, hn::Load(lanes, row + c));
    if (c == end) continue;
    const auto rest = hn::FirstN(lanes, static_cast<std::size_t>(end - c));
    largest = hn::Max(largest, hn::IfThenElseZero(rest, hn::Load(lanes, row + c)));
  }
  return hn::GetLane(hn::MaxOfLanes(lanes, largest));
}

// One panel. All four arrays: (kTile, kPanelWidth).
template <PairRule kRule>
HWY_NOINLINE void gradient_panel(const GradientTile& tile, const float* HWY_RESTRICT column_values,
                                 float* HWY_RESTRICT column_gradient,
                                 const float* HWY_RESTRICT row_values,
                                 float* HWY_RESTRICT row_gradient) {
  const Lanes lanes;
  const auto width = static_cast<std::int64_t>(hn::Lanes(lanes));
  for (std::int64_t lane = 0; lane < kPanelWidth; lane += width) {
    for (std::int64_t c0 = 0; c0 < tile.columns; c0 += kRowsPerStep) {
      Vector column[kRowsPerStep];
      Vector sum[kRowsPerStep];
      for (int c = 0; c < kRowsPerStep; ++c) {
        column[c] = hn::Load(lanes, column_values + (c0 + c) * kPanelWidth + lane);
        sum[c] = hn::Load(lanes, column_gradient + (c0 + c) * kPanelWidth + lane);
      }
      for (std::int64_t r = tile.diagonal ? c0 : 0; r < tile.rows; ++r) {
        const Vector row = hn::Load(lanes, row_values + r * kPanelWidth + lane);
        Vector row_sum = hn::Load(lanes, row_gradient + r * kPanelWidth + lane);
        const float* HWY_RESTRICT coefficients = tile.coefficients + r * kTile + c0;
        HWY_UNROLL(8)
        for (int c = 0; c < kRowsPerStep; ++c) {
          add_pair<kRule>(column[c], row, hn::Set(lanes, coefficients[c]), sum[c], row_sum);
        }
        hn::Store(row_sum, lanes, row_gradient + r * kPanelWidth + lane);
      }
      for (int c = 0; c < kRowsPerStep; ++c) {
        hn::Store(sum[c], lanes, column_gradient + (c0 + c) * kPanelWidth + lane);
      }
    }
  }
}

void gradient_tile(const GradientTile& tile) {
  for (std::int64_t panel = 0; panel < tile.panels; ++panel) {
    const std::int64_t at = panel * kTile * kPanelWidth;
    const auto run = [&]<PairRule kRule>() {
      gradient_panel<kRule>(tile, tile.column_values + at, tile.column_gradient + at,
                            tile.row_values + at, tile.row_gradient + at);
    };
    if (tile.metric == Metric::kL2) {
      run.template operator()<PairRule::kDifference>();
    } else if (tile.ties[panel] != 0) {
      run.template operator()<PairRule::kPossiblyEqual>();
    } else {
      run.template operator()<PairRule::kDistinct>();
    }
  }
}

void pack_panels(const float* values, std::int64_t dim, const std::int64_t* row_index,
                 std::int64_t rows, float* panels) {
  const Lanes lanes;
  const auto width = static_cast<std::int64_t>(hn::Lanes(lanes));
  for (std::int64_t d = 0; d < dim; d += kPanelWidth) {
    float* panel = panels + d * kTile;
    for (std::int64_t r = 0; r < rows; ++r) {
      const float* from = values + row_index[r] * dim + d;
      float* to = panel + r * kPanelWidth;
      if (d + kPanelWidth <= dim) {
        for (std::int64_t k = 0; k < kPanelWidth; k += width) {
          hn::Store(hn::LoadU(lanes, from + k), lanes, to + k);
        }
      } else {
        for (std::int64_t k = 0; k < kPanelWidth; ++k) to[k] = d + k < dim ? from[k] : 0.0F;
      }
    }
    std::fill(panel + rows * kPanelWidth, panel + kTile * kPanelWidth, 0.0F);
  }
}

void add_floats(const float* from, std::int64_t size, float* to) {
  const Lanes lanes;
  const auto width = static_cast<std::int64_t>(hn::Lanes(lanes));
  for (std::int64_t i = 0; i < size; i += width) {
    hn::Store(hn::Add(hn::Load(lanes, to + i), hn::Load(lanes, from + i)), lanes, to + i);
  }
}

}  // namespace lpdm::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lpdm::cpu {

HWY_EXPORT(distance_tile);
HWY_EXPORT(tile_maximum);
HWY_EXPORT(gradient_tile);
HWY_EXPORT(pack_panels);
HWY_EXPORT(add_floats);

void distance_tile(Metric metric, const BlockPanel& row_block, std::int64_t rows,
                   const BlockPanel& column_block, std::int64_t dim, float* distances,
                   bool lower_half) {
  if (row_block.levels.words != nullptr) {
    level_distance_tile({.row_block = row_block.levels,
                         .rows = rows,
                         .column_block = column_block.levels,
                         .words = level_words_of(dim),
                         .lower_half = lower_half,
                         .distances = distances});
    return;
  }
  HWY_DYNAMIC_DISPATCH(distance_tile)
  (metric, row_block, rows, column_block, dim, distances, lower_half);
}

float tile_maximum(const float* distances, std::int64_t rows, std::int64_t columns,
                   std::int64_t stride, bool lower_half) {
  return HWY_DYNAMIC_DISPATCH(tile_maximum)(distances, rows, columns, stride, lower_half);
}

void gradient_tile(const GradientTile& tile) { HWY_DYNAMIC_DISPATCH(gradient_tile)(tile); }

std::int64_t panels_of(std::int64_t dim) { return (dim + kPanelWidth - 1) / kPanelWidth; }

void pack_panels(const float* values, std::int64_t dim, const std::int64_t* row_index,
                 std::int64_t rows, float* panels) {
  HWY_DYNAMIC_DISPATCH(pack_panels)(values, dim, row_index, rows, panels);
}

void add_floats(const float* from, std::int64_t size, float* to) {
  HWY_DYNAMIC_DISPATCH(add_floats)(from, size, to);
}

}  // namespace lpdm::cpu
#endif  // HWY_ONCE
