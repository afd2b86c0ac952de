// M = Uᵀ U of U = [1, g, features of the input, features of a layer's output], (N, columns), which
// is formed in blocks of rows and never kept; and what follows from it.
#pragma once

#include <cstdint>

#include "common/context.h"
#include "lowrank/features.h"
#include "pairs/layer_state.h"

namespace lpdm::cuda {

inline constexpr std::int64_t kInputBegin = 2;  // after the columns of 1 and of g
inline constexpr std::int64_t kBlockRows = 4096;

// U, of one layer.
struct FeatureMatrix {
  Rows rows;
  const float* shift = nullptr;  // (N); null: unguided
  Features input, output;
  __host__ __device__ std::int64_t outputs_begin() const { return kInputBegin + input.count(); }
  __host__ __device__ std::int64_t columns() const { return outputs_begin() + output.count(); }
  std::int64_t block_rows() const { return std::min(rows.capacity, kBlockRows); }
};

// block: (block_rows, columns), rows first_row .. of U; zeros for rows from N on.
void write_block(Context& context, const FeatureMatrix& matrix, std::int64_t first_row,
                 float* block);

// Returns M in float64, (columns, columns), and leaves the last block in `block`.
const double* form_product(Context& context, const FeatureMatrix& matrix, float* block);

// The sums over all pairs, with distances of the series, 0 on the diagonal; state->maximum_bits is
// known. Completes all of *state but who shares the maximum.
void sum_series(Context& context, const FeatureMatrix& matrix, const double* product,
                const TargetScales* scales, const LayerOptions& options, LayerState* state);

// S M, (columns, output features), where E = U S Uᵀ.
const float* form_credit_matrix(Context& context, const FeatureMatrix& matrix,
                                const double* product, const TargetScales* scales,
                                const LayerOptions& options, const LayerState* state);

}  // namespace lpdm::cuda
