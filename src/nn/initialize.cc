#include "nn/initialize.h"

#include <cmath>
#include <utility>

#include "lpdm/random.h"

namespace lpdm {

namespace {

// Rows of `matrix` (rows, columns), rows ≤ columns, made orthonormal by modified Gram–Schmidt,
// twice for accuracy. Gaussian rows are independent with probability one.
void orthonormalize_rows(std::vector<double>& matrix, std::size_t rows, std::size_t columns) {
  const auto row = [&](std::size_t r) { return matrix.data() + r * columns; };
  for (std::size_t r = 0; r < rows; ++r) {
    for (int repeat = 0; repeat < 2; ++repeat) {
      for (std::size_t other = 0; other < r; ++other) {
        double dot = 0.0;
        for (std::size_t c = 0; c < columns; ++c) dot += row(r)[c] * row(other)[c];
        for (std::size_t c = 0; c < columns; ++c) row(r)[c] -= dot * row(other)[c];
      }
    }
    double squared = 0.0;
    for (std::size_t c = 0; c < columns; ++c) squared += row(r)[c] * row(r)[c];
    for (std::size_t c = 0; c < columns; ++c) row(r)[c] /= std::sqrt(squared);
  }
}

LayerValues uniform_values(std::size_t in, std::size_t out, RandomStream& random) {
  const double bound = 1.0 / std::sqrt(static_cast<double>(in));
  LayerValues values{std::vector<float>(in * out), std::vector<float>(out)};
  for (float& w : values.weight) w = static_cast<float>(random.uniform(-bound, bound));
  for (float& b : values.bias) b = static_cast<float>(random.uniform(-bound, bound));
  return values;
}

LayerValues orthogonal_values(std::size_t in, std::size_t out, double gain, RandomStream& random) {
  const std::size_t rows = std::min(in, out);
  const std::size_t columns = std::max(in, out);
  std::vector<double> matrix(rows * columns);
  for (double& value : matrix) value = random.normal();
  orthonormalize_rows(matrix, rows, columns);
  LayerValues values{std::vector<float>(in * out), std::vector<float>(out, 0.0F)};
  for (std::size_t o = 0; o < out; ++o) {
    for (std::size_t i = 0; i < in; ++i) {
      const double entry = out <= in ? matrix[o * columns + i] : matrix[i * columns + o];
      values.weight[o * in + i] = static_cast<float>(gain * entry);
    }
  }
  return values;
}

}  // namespace

LayerValues initial_values(Initialization method, std::int64_t in, std::int64_t out, double gain,
                           std::uint64_t seed, std::int64_t layer) {
  RandomStream random(seed, {.purpose = StreamPurpose::kInitialWeights,
                             .index = static_cast<std::uint32_t>(layer)});
  const auto fan_in = static_cast<std::size_t>(in);
  const auto fan_out = static_cast<std::size_t>(out);
  return method == Initialization::kTorch ? uniform_values(fan_in, fan_out, random)
                                          : orthogonal_values(fan_in, fan_out, gain, random);
}

}  // namespace lpdm
