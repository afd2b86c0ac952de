// Pass 2 of a layer's local loss: the gradient, by the blocks that own its rows.
#pragma once

#include "pairs/pair_sums.h"

namespace lpdm::cuda {

// What decides the direction of a pair in each dimension, row by row: (rows, width), width a
// multiple of kOrderWidth, padded with zeros. l1: each value's rank within its dimension, equal
// values alike; l2: the values.
struct OrderedRows {
  const float* values = nullptr;
  std::int64_t width = 0;
};

inline constexpr std::int64_t kOrderWidth = 128;

// Σ_j coefficient_ij · direction_ij as `splits` parts, to be added in their order.
struct GradientParts {
  float* sums = nullptr;              // (splits, stride, width); l1: Σ c · [i above j]
  float* coefficient_sums = nullptr;  // (splits, stride): Σ c; l1 only
  std::int64_t stride = 0;            // rows, to a multiple of kTileRows
  int splits = 1;
};

// How many blocks share the columns of a block of rows, and the scratch that takes.
TileGrid gradient_grid(const PairDomain& domain, int multiprocessors);
GradientParts make_gradient_parts(Context& context, const TileGrid& grid, std::int64_t width);

// *state is complete. rows, columns: of the two sides of the domain, of the same ranking.
void add_pair_gradient(Context& context, const TileGrid& grid, const PairDomain& domain,
                       const TargetView& target, const LayerView& layer,
                       const LayerOptions& options, const OrderedRows& rows,
                       const OrderedRows& columns, const LayerState* state,
                       const GradientParts& parts);

}  // namespace lpdm::cuda
