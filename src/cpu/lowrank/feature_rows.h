// Rows of features, and what the distances and errors of a layer are in terms of them.
#pragma once

#include <cstdint>

namespace lpdm::cpu {

// Rows of U = [1, g, features of the input, features of the layer's output].
struct FeatureRows {
  static constexpr std::int64_t kInputsBegin = 2;  // after the columns of 1 and of g

  const float* features = nullptr;  // (rows, columns), rows `stride` apart
  std::int64_t rows = 0;
  std::int64_t stride = 0;
  std::int64_t outputs_begin = 0;  // up to `columns`
  std::int64_t columns = 0;

  std::int64_t outputs() const { return columns - outputs_begin; }
};

// T_ij = constant + shift (g_i + g_j) − input Fx_i·Fx_j,  D_ij = offset − F_i·F_j,
// E = target_weight T − distance_weight D. On the diagonal D_ii = 0 and T_ii = 2 shift g_i, where
// the series have output_diagonal, and input_diagonal as well.
struct SeriesWeights {
  double constant = 0.0;
  double shift = 0.0;
  double input = 0.0;
  double offset = 0.0;
  double input_diagonal = 0.0;
  double output_diagonal = 0.0;
  double target_weight = 0.0;    // s_T
  double distance_weight = 0.0;  // s_Y / max D
};

}  // namespace lpdm::cpu
