#include "cpu/pairwise_tile.h"

#include <algorithm>
#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/pairwise_tile.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

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

template <Metric kMetric>
HWY_INLINE Vector accumulate_distance(Vector sum, Vector a, Vector b) {
  if constexpr (kMetric == Metric::kL1) {
    return hn::Add(sum, hn::Max(a, b));
  } else {
    const Vector difference = hn::Sub(a, b);
    return hn::MulAdd(difference, difference, sum);
  }
}

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
                      const BlockPanel& column_block, std::int64_t dim, float* distances) {
  const auto step = static_cast<std::int64_t>(kColumnVectors * hn::Lanes(Lanes()));
  for (std::int64_t r = 0; r < rows; r += kRowsPerStep) {
    for (std::int64_t c = 0; c < kTile; c += step) {
      distance_step<kMetric>(row_block.values + r, row_block.sums + r, column_block.values + c,
                             column_block.sums + c, dim, distances + r * kTile + c);
    }
  }
}

void distance_tile(Metric metric, const BlockPanel& row_block, std::int64_t rows,
                   const BlockPanel& column_block, std::int64_t dim, float* distances) {
  if (metric == Metric::kL1) {
    distance_tile_of<Metric::kL1>(row_block, rows, column_block, dim, distances);
  } else {
    distance_tile_of<Metric::kL2>(row_block, rows, column_block, dim, distances);
  }
}

// ∂D/∂(column value), up to the coefficient: the sign of the difference, or the difference.
template <Metric kMetric>
HWY_INLINE Vector direction(Vector column, Vector row) {
  const Vector difference = hn::Sub(column, row);
  if constexpr (kMetric == Metric::kL2) return difference;
  const Lanes lanes;
  const Vector one = hn::Set(lanes, 1.0F);
#if HWY_TARGET <= HWY_AVX3 && HWY_CAP_GE512
  // One instruction: the smaller magnitude with the sign of the first operand.
  return Vector{_mm512_range_ps(difference.raw, one.raw, 2)};
#else
  return hn::Max(hn::Min(difference, one), hn::Neg(one));
#endif
}

// One panel of kPanelWidth dimensions. row_values, row_gradient: (kTile, kPanelWidth).
template <Metric kMetric>
HWY_INLINE void gradient_panel(const GradientTile& tile, const float* HWY_RESTRICT column_values,
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
          const Vector coefficient = hn::Set(lanes, coefficients[c]);
          const Vector towards = direction<kMetric>(column[c], row);
          sum[c] = hn::MulAdd(towards, coefficient, sum[c]);
          row_sum = hn::NegMulAdd(towards, coefficient, row_sum);
        }
        hn::Store(row_sum, lanes, row_gradient + r * kPanelWidth + lane);
      }
      for (int c = 0; c < kRowsPerStep; ++c) {
        hn::Store(sum[c], lanes, column_gradient + (c0 + c) * kPanelWidth + lane);
      }
    }
  }
}

// Copies `count` of kPanelWidth floats, times scale, the rest zero.
HWY_INLINE void load_panel_row(const float* HWY_RESTRICT from, std::int64_t count, float scale,
                               float* HWY_RESTRICT to) {
  const Lanes lanes;
  if (count >= kPanelWidth) {
    const auto width = static_cast<std::int64_t>(hn::Lanes(lanes));
    const Vector factor = hn::Set(lanes, scale);
    for (std::int64_t d = 0; d < kPanelWidth; d += width) {
      hn::Store(hn::Mul(factor, hn::LoadU(lanes, from + d)), lanes, to + d);
    }
    return;
  }
  for (std::int64_t d = 0; d < kPanelWidth; ++d) to[d] = d < count ? scale * from[d] : 0.0F;
}

HWY_INLINE void store_panel_row(const float* HWY_RESTRICT from, std::int64_t count,
                                float* HWY_RESTRICT to) {
  const Lanes lanes;
  if (count >= kPanelWidth) {
    const auto width = static_cast<std::int64_t>(hn::Lanes(lanes));
    for (std::int64_t d = 0; d < kPanelWidth; d += width) {
      hn::StoreU(hn::Load(lanes, from + d), lanes, to + d);
    }
    return;
  }
  for (std::int64_t d = 0; d < count; ++d) to[d] = from[d];
}

void gradient_tile(const GradientTile& tile) {
  HWY_ALIGN float row_values[kTile * kPanelWidth];
  HWY_ALIGN float row_gradient[kTile * kPanelWidth];
  for (std::int64_t d = 0; d < tile.dim; d += kPanelWidth) {
    const std::int64_t count = std::min(kPanelWidth, tile.dim - d);
    for (std::int64_t r = 0; r < tile.rows; ++r) {
      const std::int64_t at = tile.row_index[r] * tile.dim + d;
      load_panel_row(tile.values + at, count, tile.value_scale, row_values + r * kPanelWidth);
      load_panel_row(tile.gradient + at, count, 1.0F, row_gradient + r * kPanelWidth);
    }
    const std::int64_t panel = d * kTile;
    if (tile.metric == Metric::kL1) {
      gradient_panel<Metric::kL1>(tile, tile.column_values + panel, tile.column_gradient + panel,
                                  row_values, row_gradient);
    } else {
      gradient_panel<Metric::kL2>(tile, tile.column_values + panel, tile.column_gradient + panel,
                                  row_values, row_gradient);
    }
    for (std::int64_t r = 0; r < tile.rows; ++r) {
      store_panel_row(row_gradient + r * kPanelWidth, count,
                      tile.gradient + tile.row_index[r] * tile.dim + d);
    }
  }
}

void pack_column_panels(const float* values, std::int64_t dim, const std::int64_t* row_index,
                        std::int64_t rows, float value_scale, float* panels) {
  for (std::int64_t d = 0; d < dim; d += kPanelWidth) {
    const std::int64_t count = std::min(kPanelWidth, dim - d);
    float* panel = panels + d * kTile;
    for (std::int64_t r = 0; r < rows; ++r) {
      load_panel_row(values + row_index[r] * dim + d, count, value_scale, panel + r * kPanelWidth);
    }
    std::fill(panel + rows * kPanelWidth, panel + kTile * kPanelWidth, 0.0F);
  }
}

void add_column_panels(const float* panels, std::int64_t dim, const std::int64_t* row_index,
                       std::int64_t first, std::int64_t end, float* gradient) {
  const Lanes lanes;
  const auto width = static_cast<std::int64_t>(hn::Lanes(lanes));
  for (std::int64_t r = first; r < end; ++r) {
    float* row = gradient + row_index[r] * dim;
    std::int64_t d = 0;
    for (; d + kPanelWidth <= dim; d += kPanelWidth) {
      const float* from = panels + d * kTile + r * kPanelWidth;
      for (std::int64_t k = 0; k < kPanelWidth; k += width) {
        const Vector sum = hn::Add(hn::LoadU(lanes, row + d + k), hn::Load(lanes, from + k));
        hn::StoreU(sum, lanes, row + d + k);
      }
    }
    const float* from = panels + d * kTile + r * kPanelWidth;
    for (std::int64_t k = 0; d + k < dim; ++k) row[d + k] += from[k];
  }
}

}  // namespace lpdm::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lpdm::cpu {

HWY_EXPORT(distance_tile);
HWY_EXPORT(gradient_tile);
HWY_EXPORT(pack_column_panels);
HWY_EXPORT(add_column_panels);

void distance_tile(Metric metric, const BlockPanel& row_block, std::int64_t rows,
                   const BlockPanel& column_block, std::int64_t dim, float* distances) {
  HWY_DYNAMIC_DISPATCH(distance_tile)(metric, row_block, rows, column_block, dim, distances);
}

void gradient_tile(const GradientTile& tile) { HWY_DYNAMIC_DISPATCH(gradient_tile)(tile); }

void pack_column_panels(const float* values, std::int64_t dim, const std::int64_t* row_index,
                        std::int64_t rows, float value_scale, float* panels) {
  HWY_DYNAMIC_DISPATCH(pack_column_panels)(values, dim, row_index, rows, value_scale, panels);
}

void add_column_panels(const float* panels, std::int64_t dim, const std::int64_t* row_index,
                       std::int64_t first, std::int64_t end, float* gradient) {
  HWY_DYNAMIC_DISPATCH(add_column_panels)(panels, dim, row_index, first, end, gradient);
}

float sign_scale(float max_abs) {
  // Differences of values up to 2^e stay below 2^(e + 2); scaled, below 2^127.
  constexpr int kLargestExponent = 125;
  if (max_abs == 0.0F) return 1.0F;
  return std::ldexp(1.0F, std::clamp(kLargestExponent - std::ilogb(max_abs), -126, 127));
}

}  // namespace lpdm::cpu
#endif  // HWY_ONCE
