#include "reference/low_rank_loss.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace lpdm::reference {

namespace {

struct Distances {
  Values exact, series;  // (n, n)
  double largest = 0.0;  // exact
};

double series(double t, double range, std::int64_t terms) {
  if (range == 0.0) return 0.0;
  const double pi = std::numbers::pi;
  const double half = range * (1.0 + 2.0 / static_cast<double>(terms + 1));  // of a period
  double sum = half / 2.0;
  for (std::int64_t k = 1; k < 2 * terms; k += 2) {
    const auto odd = static_cast<double>(k);
    sum -= 4.0 * half / (pi * pi * odd * odd) * std::cos(odd * pi * t / half);
  }
  return sum;
}

Distances distances_of(const Values& rows, std::int64_t n, std::int64_t dim, const Values& ranges,
                       std::int64_t terms) {
  const auto size = static_cast<std::size_t>(n * n);
  Distances distances{Values(size, 0.0), Values(size, 0.0)};
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j < n; ++j) {
      for (std::int64_t d = 0; d < dim && i != j; ++d) {
        const double t = rows[i * dim + d] - rows[j * dim + d];
        distances.exact[i * n + j] += std::abs(t);
        distances.series[i * n + j] += series(t, ranges[d], terms);
      }
      distances.largest = std::max(distances.largest, distances.exact[i * n + j]);
    }
  }
  return distances;
}

// g of each row, zeros if unguided.
Values shifts_of(const LocalLossInputs& inputs) {
  Values g(static_cast<std::size_t>(inputs.n), 0.0);
  if (inputs.values.empty()) return g;
  const auto [low, high] = std::minmax_element(inputs.values.begin(), inputs.values.end());
  for (std::size_t i = 0; i < g.size(); ++i) {
    g[i] = *high > *low ? (1.0 - (inputs.values[i] - *low) / (*high - *low)) / 2.0 : 0.5;
  }
  return g;
}

// T of the series, normalised by the maxima of exact distances.
Values target_of(const LocalLossInputs& inputs, std::int64_t terms) {
  const std::int64_t n = inputs.n;
  const Values ranges = column_ranges(inputs.x, n, inputs.dim);
  const Distances x = distances_of(inputs.x, n, inputs.dim, ranges, terms);
  const Values g = shifts_of(inputs);
  const bool scaled = !inputs.values.empty() && x.largest > 0.0 &&
                      inputs.options.guide_base == GuideBase::kNormalized;
  const double base = scaled ? 1.0 / x.largest : 1.0;
  double largest = 0.0;
  Values target(x.series.size());
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j < n; ++j) {
      largest = std::max(largest, base * x.exact[i * n + j] + g[i] + g[j]);
      target[i * n + j] = base * x.series[i * n + j] + g[i] + g[j];
    }
  }
  for (double& entry : target) entry = largest > 0.0 ? entry / largest : 0.0;
  return target;
}

}  // namespace

Values column_ranges(const Values& rows, std::int64_t n, std::int64_t dim) {
  Values ranges;
  for (std::int64_t d = 0; d < dim; ++d) {
    double low = rows[d], high = rows[d];
    for (std::int64_t i = 0; i < n; ++i) {
      low = std::min(low, rows[i * dim + d]);
      high = std::max(high, rows[i * dim + d]);
    }
    ranges.push_back(high - low);
  }
  return ranges;
}

double low_rank_loss(const LocalLossInputs& inputs, std::int64_t terms,
                     const Values& output_ranges) {
  const Values target = target_of(inputs, terms);
  const Distances y = distances_of(inputs.y, inputs.n, inputs.out, output_ranges, terms);
  double s_t = 1.0, s_y = 1.0;
  const double per_in = 1.0 / static_cast<double>(inputs.dim);
  const double per_out = 1.0 / static_cast<double>(inputs.out);
  if (inputs.options.scale == LossScale::kOwn) s_t = per_in, s_y = per_out;
  if (inputs.options.scale == LossScale::kCross) s_t = per_out, s_y = per_in;
  double squared = 0.0;
  for (std::size_t k = 0; k < target.size(); ++k) {
    const double normalized = y.largest > 0.0 ? y.series[k] / y.largest : 0.0;
    const double error = s_t * target[k] - s_y * normalized;
    squared += error * error;
  }
  return inputs.options.norm == LossNorm::kFrobenius ? std::sqrt(squared) : squared;
}

}  // namespace lpdm::reference
