// Features of rows whose inner products are cosine series of L1 distances (docs/method.md,
// lowrank): D_ij ~ offset − F_i · F_j.
//
// The features of a row stand as [term][cos, sin][dimension]. Dimensions that are constant over the
// batch have features of 0.
#pragma once

#include <cstdint>

#include "common/context.h"
#include "lpdm/ops.h"

namespace lpdm::cuda {

struct FeatureColumn {
  float origin = 0.0F;     // least value
  float frequency = 0.0F;  // π / half a period
  float amplitude = 0.0F;  // 2 √(half a period) / π
};

struct FeatureTotals {
  double offset = 0.0;
  double diagonal = 0.0;  // what the series gives for the distance of a row from itself
};

struct Features {
  const float* values = nullptr;  // (N, dim)
  std::int64_t dim = 0;
  std::int64_t terms = 0;
  const FeatureColumn* columns = nullptr;  // (dim)
  const FeatureTotals* totals = nullptr;
  __host__ __device__ std::int64_t count() const { return 2 * terms * dim; }
};

// Measures the ranges of the columns, see core/cosine_series.h.
Features fit_features(Context& context, const Rows& rows, const float* values, std::int64_t dim,
                      std::int64_t terms);

// to: (block_rows, stride), the features of rows first_row ..; zeros for rows from N on.
void write_features(Context& context, const Rows& rows, const Features& features,
                    std::int64_t first_row, std::int64_t block_rows, std::int64_t stride,
                    float* to);

}  // namespace lpdm::cuda
