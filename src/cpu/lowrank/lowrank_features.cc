#include "cpu/lowrank/lowrank_features.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/cosine_series.h"

namespace lpdm::cpu {

namespace {

struct Ranges {
  std::vector<float> low, high;  // (dim)
};

Ranges column_ranges(Context& context, const float* values, std::int64_t rows, std::int64_t dim) {
  constexpr std::int64_t kRowsPerTask = 2048;
  std::vector<Ranges> found(static_cast<std::size_t>(ceil_div(rows, kRowsPerTask)));
  context.pool.parallel_for(static_cast<std::int64_t>(found.size()), [&](std::int64_t t, int) {
    const std::int64_t first = t * kRowsPerTask;
    Ranges& range = found[static_cast<std::size_t>(t)];
    range.low.assign(values + first * dim, values + (first + 1) * dim);
    range.high = range.low;
    for (std::int64_t r = first; r < std::min(rows, first + kRowsPerTask); ++r) {
      for (std::int64_t d = 0; d < dim; ++d) {
        const auto column = static_cast<std::size_t>(d);
        range.low[column] = std::min(range.low[column], values[r * dim + d]);
        range.high[column] = std::max(range.high[column], values[r * dim + d]);
      }
    }
  });
  Ranges all = found.front();
  for (const Ranges& part : found) {
    for (std::size_t d = 0; d < all.low.size(); ++d) {
      all.low[d] = std::min(all.low[d], part.low[d]);
      all.high[d] = std::max(all.high[d], part.high[d]);
    }
  }
  return all;
}

}  // namespace

void LowRankFeatures::fit(Context& context, const float* values, std::int64_t rows,
                          std::int64_t dim, std::int64_t terms) {
  dim_ = dim;
  terms_ = terms;
  columns_.clear();
  origin_.clear();
  frequency_.clear();
  amplitude_.clear();
  const Ranges ranges = column_ranges(context, values, rows, dim);
  double sum = 0.0;
  for (std::int64_t d = 0; d < dim; ++d) {
    const float low = ranges.low[static_cast<std::size_t>(d)];
    const float range = ranges.high[static_cast<std::size_t>(d)] - low;
    if (range < kLeastSeriesRange) continue;
    const float half = half_period(range, terms);
    sum += half;
    columns_.push_back(d);
    origin_.push_back(low);
    frequency_.push_back(std::numbers::pi_v<float> / half);
    amplitude_.push_back(2.0F * std::sqrt(half) / std::numbers::pi_v<float>);
  }
  double weights = 0.0;  // Σ 1/k²; π²/8 if it went on
  for (std::int64_t k = 1; k < 2 * terms; k += 2) weights += 1.0 / static_cast<double>(k * k);
  offset_ = sum / 2.0;
  diagonal_ = sum * (0.5 - 4.0 / (std::numbers::pi * std::numbers::pi) * weights);
}

// Each frequency from the one before, by a rotation by 2θ.
void LowRankFeatures::write(const float* values, std::int64_t rows, std::int64_t stride,
                            float* features) const {
  const std::int64_t n = active();
  std::vector<float> rotation(static_cast<std::size_t>(2 * n));
  float* cosine = rotation.data();
  float* sine = cosine + n;
  for (std::int64_t r = 0; r < rows; ++r) {
    const float* row = values + r * dim_;
    float* to = features + r * stride;
    for (std::int64_t a = 0; a < n; ++a) {
      const auto column = static_cast<std::size_t>(a);
      const float angle = (row[columns_[column]] - origin_[column]) * frequency_[column];
      const float c = std::cos(angle);
      const float s = std::sin(angle);
      to[a] = amplitude_[column] * c;
      to[n + a] = amplitude_[column] * s;
      cosine[a] = 1.0F - 2.0F * s * s;
      sine[a] = 2.0F * s * c;
    }
    for (std::int64_t term = 1; term < terms_; ++term) {
      const float ratio = static_cast<float>(2 * term - 1) / static_cast<float>(2 * term + 1);
      const float* last = to + (term - 1) * 2 * n;
      float* next = to + term * 2 * n;
      for (std::int64_t a = 0; a < n; ++a) {
        next[a] = ratio * (last[a] * cosine[a] - last[n + a] * sine[a]);
        next[n + a] = ratio * (last[n + a] * cosine[a] + last[a] * sine[a]);
      }
    }
  }
}

void LowRankFeatures::differentiate(const float* features, const float* credit,
                                    float* gradient) const {
  const std::int64_t n = active();
  std::vector<float> sums(static_cast<std::size_t>(n), 0.0F);
  for (std::int64_t term = 0; term < terms_; ++term) {
    const auto k = static_cast<float>(2 * term + 1);
    const float* f = features + term * 2 * n;
    const float* q = credit + term * 2 * n;
    for (std::int64_t a = 0; a < n; ++a) {
      sums[static_cast<std::size_t>(a)] += k * (f[a] * q[n + a] - f[n + a] * q[a]);
    }
  }
  std::fill_n(gradient, dim_, 0.0F);
  for (std::size_t a = 0; a < columns_.size(); ++a) {
    gradient[columns_[a]] = frequency_[a] * sums[a];
  }
}

}  // namespace lpdm::cpu
