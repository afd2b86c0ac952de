// The last step of the gradient of pairs: from panels to the rows of delta (Highway, run-time
// dispatch).
#pragma once

#include <cstdint>

#include "lpdm/config.h"

namespace lpdm::cpu {

// Of a block of rows and some of their dimensions:
// delta[row][d] = factor · (scale · panel[row][d] + offsets[row]) · activation'(output[row][d]).
struct GradientRows {
  const float* panels = nullptr;  // (panels, kTile, kPanelWidth), from dimension `first` on
  const std::int64_t* row_index = nullptr;  // (rows): which rows of delta they are
  std::int64_t rows = 0;
  std::int64_t dim = 0;    // of delta and output
  std::int64_t first = 0;  // a multiple of kPanelWidth
  std::int64_t end = 0;    // one past the last of the dimensions
  float scale = 1.0F;
  const float* offsets = nullptr;  // (rows)
  float factor = 1.0F;
  Activation activation = Activation::kIdentity;
  const float* output = nullptr;  // (N, dim)
  float* delta = nullptr;         // (N, dim)
};

void write_gradient_rows(const GradientRows& op);

}  // namespace lpdm::cpu
