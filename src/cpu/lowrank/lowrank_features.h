// The features that make an L1 distance matrix a product of matrices.
//
// In each column |a − b| is at most the column's range P, and up to H (half_period), which is a
// little more than P, |t| is a triangle wave, a cosine series with odd frequencies. Cut off after R
// terms and by cos k(a − b) = cos ka cos kb + sin ka sin kb
//     D_ij ~ Σ_d H_d/2 − f_i · f_j,   f = √(4 H_d/π²)/k · (cos kθ, sin kθ),   θ = π (a − min_d)/H_d
// for k = 1, 3 … 2R − 1: 2R features per column.
#pragma once

#include <cstdint>
#include <vector>

#include "cpu/common/context.h"

namespace lpdm::cpu {

class LowRankFeatures {
 public:
  // Takes the range of each column of values (rows, dim). Columns that are constant drop out.
  void fit(Context& context, const float* values, std::int64_t rows, std::int64_t dim,
           std::int64_t terms);

  std::int64_t count() const { return 2 * terms_ * active(); }
  double offset() const { return offset_; }  // Σ H/2
  // What the series says of a row and itself, the same for all rows; exact is 0.
  double diagonal() const { return diagonal_; }

  // The features of `rows` rows, `stride` floats apart.
  void write(const float* values, std::int64_t rows, std::int64_t stride, float* features) const;

  // gradient[d] = Σ_f credit[f] · ∂f/∂(row's value d), from the row's features; (dim)
  void differentiate(const float* features, const float* credit, float* gradient) const;

 private:
  std::int64_t active() const { return static_cast<std::int64_t>(columns_.size()); }

  std::int64_t dim_ = 0;
  std::int64_t terms_ = 0;  // R
  double offset_ = 0.0;
  double diagonal_ = 0.0;
  // Of the columns that take part.
  std::vector<std::int64_t> columns_;
  std::vector<float> origin_;     // min
  std::vector<float> frequency_;  // π/H
  std::vector<float> amplitude_;  // √(4 H/π²)
};

}  // namespace lpdm::cpu
