// The target T of a tile of pairs, and which of its entries count.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "pairs/pair_domain.h"
#include "pairs/pair_tile.cuh"

namespace lpdm::cuda {

// A tile of a domain: its first row and column, and how many there are.
struct TileBounds {
  std::int64_t first_row, first_column;
  std::int64_t rows, columns;  // of the whole domain
};

__device__ inline std::int64_t batch_row(const PairSide& side, std::int64_t at) {
  return side.index != nullptr ? side.index[at] : at;
}

// Which of a thread's 64 entries are what, one bit each: bit 8 r + c.
struct EntryMasks {
  std::uint64_t pair = 0;         // two rows whose distance counts for maxima
  std::uint64_t kept_by_row = 0;  // sparse: the row keeps the entry; else like `pair`
  std::uint64_t kept_by_column = 0;
  __device__ static std::uint64_t bit(int r, int c) { return std::uint64_t{1} << (r * kOwn + c); }
};

// (D · input_scale + g_i + g_j) · target_scale, to the last bit the same in every kernel.
__device__ inline float normalized(float distance, const TargetScales& scales, float row_shift,
                                   float column_shift) {
  const float shifted = __fmaf_rn(distance, static_cast<float>(scales.input_scale),
                                  __fadd_rn(row_shift, column_shift));
  return __fmul_rn(shifted, static_cast<float>(scales.target_scale));
}

__device__ inline float shift_of(const PairSide& side, std::int64_t at, std::int64_t count) {
  return side.shift != nullptr && at < count ? side.shift[at] : 0.0F;
}

__device__ __forceinline__ void normalize_tile(const PairDomain& domain, const TileBounds& bounds,
                                               const TargetScales& scales, Fragment& target) {
  const TilePlace place;
  float column_shift[kOwn];
#pragma unroll
  for (int c = 0; c < kOwn; ++c) {
    column_shift[c] =
        shift_of(domain.columns, bounds.first_column + place.column(c), bounds.columns);
  }
#pragma unroll
  for (int r = 0; r < kOwn; ++r) {
    const float row_shift = shift_of(domain.rows, bounds.first_row + place.row(r), bounds.rows);
#pragma unroll
    for (int c = 0; c < kOwn; ++c) {
      target[r][c] = normalized(target[r][c], scales, row_shift, column_shift[c]);
    }
  }
}

// What one row keeps of its entries of T.
struct KeptEntries {
  float closest, furthest;
  std::int64_t closest_column, furthest_column;

  __device__ KeptEntries(const RowLimits& limits, std::int64_t row)
      : closest(limits.closest[row]),
        furthest(limits.furthest[row]),
        closest_column(limits.closest_column[row]),
        furthest_column(limits.furthest_column[row]) {}
  __device__ bool contain(float target, std::int64_t column) const {
    return target < closest || (target == closest && column <= closest_column) ||
           target > furthest || (target == furthest && column >= furthest_column);
  }
};

// Most tiles of dense pairs: nothing is to be looked at entry by entry.
__device__ inline bool all_entries_are_kept(const PairDomain& domain, const TileBounds& bounds) {
  return domain.limits.closest == nullptr && domain.episode_begin == nullptr &&
         bounds.first_row + kTileRows <= bounds.rows &&
         bounds.first_column + kTileColumns <= bounds.columns;
}

// The bits of a row of entries, one for each column, in all rows.
__device__ inline std::uint64_t in_all_rows(unsigned columns) {
  return columns * std::uint64_t{0x0101010101010101};
}

// The columns, one bit each, that are below `end` and not below `begin`.
__device__ inline unsigned columns_within(const TileBounds& bounds, const TilePlace& place,
                                          std::int64_t begin, std::int64_t end) {
  unsigned columns = 0;
#pragma unroll
  for (int c = 0; c < kOwn; ++c) {
    const std::int64_t column = bounds.first_column + place.column(c);
    if (column >= begin && column < end) columns |= 1U << c;
  }
  return columns;
}

// Entries of two rows that there are, and of one episode where those are kept apart.
__device__ inline std::uint64_t pair_mask(const PairDomain& domain, const TileBounds& bounds) {
  const TilePlace place;
  const std::uint64_t in_columns = in_all_rows(columns_within(bounds, place, 0, bounds.columns));
  std::uint64_t mask = 0;
#pragma unroll 1
  for (int r = 0; r < kOwn; ++r) {
    const std::int64_t row = bounds.first_row + place.row(r);
    if (row >= bounds.rows) break;
    const std::uint64_t of_row = std::uint64_t{0xFF} << (r * kOwn);
    if (domain.episode_begin == nullptr) {
      mask |= of_row;
      continue;
    }
    mask |= of_row & in_all_rows(columns_within(bounds, place, domain.episode_begin[row],
                                                domain.episode_end[row]));
  }
  return mask & in_columns;
}

// Entries of a row with itself. Beside landmarks it is the batch that is asked for its landmark.
__device__ inline std::uint64_t diagonal_mask(const PairDomain& domain, const TileBounds& bounds) {
  const TilePlace place;
  std::uint64_t mask = 0;
  if (domain.square && (bounds.first_column >= bounds.first_row + kTileRows ||
                        bounds.first_row >= bounds.first_column + kTileColumns)) {
    return mask;
  }
  const bool by_row = domain.rows.index == nullptr;
  const std::int64_t first = by_row ? bounds.first_row : bounds.first_column;
  const std::int64_t end = by_row ? bounds.rows : bounds.columns;
  const std::int64_t first_other = by_row ? bounds.first_column : bounds.first_row;
#pragma unroll
  for (int k = 0; k < kOwn; ++k) {
    const std::int64_t at = first + (by_row ? place.row(k) : place.column(k));
    if (at >= end) break;
    const std::int64_t other = (domain.square ? at : domain.landmark[at]) - first_other;
#pragma unroll
    for (int o = 0; o < kOwn; ++o) {
      if (other != (by_row ? place.column(o) : place.row(o))) continue;
      mask |= by_row ? EntryMasks::bit(k, o) : EntryMasks::bit(o, k);
    }
  }
  return mask;
}

// target: T of the network input, which sparse limits refer to.
__device__ inline EntryMasks entry_masks(const PairDomain& domain, const TileBounds& bounds,
                                         const Fragment& target) {
  EntryMasks masks;
  masks.pair = all_entries_are_kept(domain, bounds) ? ~std::uint64_t{0} : pair_mask(domain, bounds);
  if (domain.limits.closest == nullptr) {
    masks.kept_by_row = masks.kept_by_column = masks.pair;
    return masks;
  }
  const TilePlace place;
#pragma unroll
  for (int r = 0; r < kOwn; ++r) {
    const std::int64_t row = bounds.first_row + place.row(r);
    if (row >= bounds.rows) break;
    const KeptEntries kept(domain.limits, row);
#pragma unroll
    for (int c = 0; c < kOwn; ++c) {
      if (kept.contain(target[r][c], bounds.first_column + place.column(c))) {
        masks.kept_by_row |= EntryMasks::bit(r, c);
      }
    }
  }
#pragma unroll
  for (int c = 0; c < kOwn; ++c) {
    const std::int64_t column = bounds.first_column + place.column(c);
    if (column >= bounds.columns) break;
    const KeptEntries kept(domain.limits, column);
#pragma unroll
    for (int r = 0; r < kOwn; ++r) {
      if (kept.contain(target[r][c], bounds.first_row + place.row(r))) {
        masks.kept_by_column |= EntryMasks::bit(r, c);
      }
    }
  }
  const std::uint64_t counted = masks.pair & ~diagonal_mask(domain, bounds);
  masks.kept_by_row &= counted;
  masks.kept_by_column &= counted;
  return masks;
}

// What a chain of targets is formed up to.
enum class TargetStep {
  kDistance,  // the distances that T of layer `links` is made of, enlarged by errors
  kShifted,   // those normalised, but for the last division
  kTarget,    // T of layer `links`
  kError,     // |E| of layer `links`, not yet divided by its maximum
};

__device__ inline TargetScales undivided(TargetScales scales) {
  scales.target_scale = 1.0;
  return scales;
}

// T → |E| of one layer, 0 where neither row keeps the entry.
__device__ __forceinline__ void error_of(const ErrorWeights& weights, const EntryMasks& masks,
                                         const Fragment& distances, Fragment& target) {
  const std::uint64_t kept = masks.kept_by_row | masks.kept_by_column;
#pragma unroll
  for (int r = 0; r < kOwn; ++r) {
#pragma unroll
    for (int c = 0; c < kOwn; ++c) {
      const float error = fabsf(
          __fmaf_rn(-weights.distance, distances[r][c], __fmul_rn(weights.target, target[r][c])));
      target[r][c] = (kept & EntryMasks::bit(r, c)) != 0 ? error : 0.0F;
    }
  }
}

// kChain: whether there may be links. Arithmetic: of the layers in the chain; the network's input
// is unbounded and always takes float32. The masks are those of the network input's T.
template <bool kChain, class InputArithmetic>
__device__ __forceinline__ void target_tile(const PairDomain& domain, const TargetView& view,
                                            const TileBounds& bounds, TargetStep step,
                                            DistanceStages& stages, Fragment& target,
                                            EntryMasks& masks) {
  const int links = kChain ? view.links : 0;
  distance_tile<InputArithmetic>(view.rows, bounds.first_row, view.columns, bounds.first_column,
                                 stages, target);
  if (links == 0 && step == TargetStep::kDistance) {
    masks = entry_masks(domain, bounds, target);
    return;
  }
  Fragment below;  // distances of the input of the layer under way
  if constexpr (kChain) {
#pragma unroll
    for (int r = 0; r < kOwn; ++r) {
#pragma unroll
      for (int c = 0; c < kOwn; ++c) below[r][c] = target[r][c];
    }
  }
  const bool unfinished = links == 0 && step == TargetStep::kShifted;
  normalize_tile(domain, bounds, unfinished ? undivided(*view.scales) : *view.scales, target);
  masks = entry_masks(domain, bounds, target);
  if constexpr (kChain) {
    Fragment distances;
    const int errors = links + (step == TargetStep::kError ? 1 : 0);
    for (int l = 0; l < errors; ++l) {
      const ChainLink& chain = view.chain[l];
      distance_tile<InputArithmetic>(chain.rows, bounds.first_row, chain.columns,
                                     bounds.first_column, stages, distances);
      error_of(*chain.weights, masks, distances, target);
      if (l == links) return;
      const ErrorLink& link = *chain.link;
      const float offset = view.one_plus ? 1.0F : 0.0F;
#pragma unroll
      for (int r = 0; r < kOwn; ++r) {
#pragma unroll
        for (int c = 0; c < kOwn; ++c) {
          target[r][c] = __fmul_rn(below[r][c], __fmaf_rn(link.error_scale, target[r][c], offset));
          below[r][c] = distances[r][c];
        }
      }
      const bool last = l + 1 == links;
      if (last && step == TargetStep::kDistance) return;
      const bool divide = !(last && step == TargetStep::kShifted);
      normalize_tile(domain, bounds, divide ? link.scales : undivided(link.scales), target);
    }
  }
}

}  // namespace lpdm::cuda
