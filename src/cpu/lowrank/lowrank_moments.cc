#include "cpu/lowrank/lowrank_moments.h"

#include <algorithm>

#include "core/blas.h"

namespace lpdm::cpu {

namespace {

// The series gives the distance of a row from itself as one number instead of 0. shifts: Σ T_ii.
void remove_diagonal(const SeriesWeights& weights, double n, double shifts, PairSums& sums) {
  const double x = weights.input * weights.input_diagonal;
  const double y = weights.output_diagonal;
  sums.target -= n * x;
  sums.target_squared -= n * x * x + 2.0 * x * shifts;
  sums.distance -= n * y;
  sums.distance_squared -= n * y * y;
  sums.target_distance -= y * (n * x + shifts);
}

}  // namespace

LowRankMoments::LowRankMoments(Context& context)
    : context_(context), product_(context), matrix_(context.memory) {}

void LowRankMoments::clear(std::int64_t columns) { product_.clear(columns); }

void LowRankMoments::add(const FeatureRows& block) {
  product_.add(block.features, block.rows, block.stride);
}

// With T = r_ij − w Fx_i·Fx_j, r_ij = constant + shift (g_i + g_j), and D = c − F_i·F_j.
PairSums LowRankMoments::sums(const FeatureRows& shape, const SeriesWeights& weights) const {
  const SeriesWeights& t = weights;
  const double c = weights.offset;
  const double n = product_.at(0, 0);  // the column of 1 with itself: the rows added
  const double g = product_.at(0, 1);
  const double gg = product_.at(1, 1);
  // Σ_ij of the features' inner products, plain and with g_i.
  const auto inner = [&](std::int64_t row, std::int64_t begin, std::int64_t end) {
    double sum = 0.0;
    for (std::int64_t k = begin; k < end; ++k) sum += product_.at(0, k) * product_.at(row, k);
    return sum;
  };
  constexpr std::int64_t kBegin = FeatureRows::kInputsBegin;
  const std::int64_t middle = shape.outputs_begin;
  const std::int64_t end = shape.columns;
  const double xx = inner(0, kBegin, middle);
  const double yy = inner(0, middle, end);
  const double r_xx = t.constant * xx + 2.0 * t.shift * inner(1, kBegin, middle);
  const double r_yy = t.constant * yy + 2.0 * t.shift * inner(1, middle, end);
  const double r = t.constant * n * n + 2.0 * t.shift * n * g;
  const double rr = t.constant * t.constant * n * n + 4.0 * t.constant * t.shift * n * g +
                    2.0 * t.shift * t.shift * (n * gg + g * g);
  PairSums sums;
  sums.target = r - t.input * xx;
  sums.target_squared = rr - 2.0 * t.input * r_xx +
                        t.input * t.input * product_.squares(kBegin, middle, kBegin, middle);
  sums.distance = c * n * n - yy;
  sums.distance_squared = c * c * n * n - 2.0 * c * yy + product_.squares(middle, end, middle, end);
  sums.target_distance =
      c * r - r_yy - t.input * (c * xx - product_.squares(kBegin, middle, middle, end));
  remove_diagonal(weights, n, 2.0 * t.shift * g, sums);
  const double target = weights.target_weight;
  const double distance = weights.distance_weight;
  sums.error_distance = target * sums.target_distance - distance * sums.distance_squared;
  sums.error_squared = std::max(0.0, target * target * sums.target_squared -
                                         2.0 * target * distance * sums.target_distance +
                                         distance * distance * sums.distance_squared);
  return sums;
}

// E = constant + shift (g_i + g_j) − input Fx_i·Fx_j + output F_i·F_j.
void LowRankMoments::weigh(const FeatureRows& shape, const SeriesWeights& weights) {
  const double output = weights.distance_weight;
  const double constant = weights.target_weight * weights.constant - output * weights.offset;
  const double shift = weights.target_weight * weights.shift;
  const double input = weights.target_weight * weights.input;
  const std::int64_t begin = shape.outputs_begin;
  const std::int64_t width = shape.outputs();
  float* matrix = matrix_.get(shape.columns * width);
  context_.pool.parallel_for(shape.columns, [&](std::int64_t row, int) {
    const double scale = row < begin ? -input : output;
    for (std::int64_t k = 0; k < width; ++k) {
      double value = scale * product_.at(row, begin + k);
      if (row == 0) {
        value = constant * product_.at(0, begin + k) + shift * product_.at(1, begin + k);
      }
      if (row == 1) value = shift * product_.at(0, begin + k);
      matrix[row * width + k] = static_cast<float>(value);
    }
  });
}

void LowRankMoments::credit(const FeatureRows& block, std::int64_t first, std::int64_t count,
                            float* to) const {
  const std::int64_t width = block.outputs();
  if (width == 0) return;
  blas::sgemm(blas::Transpose::kNo, blas::Transpose::kNo, count, width, block.columns,
              block.features + first * block.stride, block.stride, matrix_.data(), width, 0.0F, to,
              width);
}

double LowRankMoments::bytes(double columns, double outputs, bool gradient, double threads) {
  const double matrix = gradient ? columns * outputs : 0.0;
  return LowRankProduct::bytes(columns, threads) + sizeof(float) * matrix;
}

}  // namespace lpdm::cpu
