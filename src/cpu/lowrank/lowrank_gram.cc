#include "cpu/lowrank/lowrank_gram.h"

#include <algorithm>

#include "core/blas.h"

namespace lpdm::cpu {

namespace {

// to (count, others) = inner products of `count` rows' columns [begin, end) with those of `others`
// rows from `first` on.
void inner_products(const FeatureRows& rows, std::int64_t begin, std::int64_t end,
                    std::int64_t first, std::int64_t count, float* to, std::int64_t stride) {
  const std::int64_t others = rows.rows - first;
  const float* from = rows.features + first * rows.stride + begin;
  if (begin == end) {  // all columns are constant
    for (std::int64_t r = 0; r < count; ++r) std::fill_n(to + r * stride, others, 0.0F);
    return;
  }
  blas::sgemm(blas::Transpose::kNo, blas::Transpose::kYes, count, others, end - begin, from,
              rows.stride, from, rows.stride, 0.0F, to, stride);
}

// One entry, which stands for `times` of them.
double add_entry(const SeriesWeights& weights, double target, double distance, double times,
                 PairSums& sums) {
  const double error = weights.target_weight * target - weights.distance_weight * distance;
  sums.error_squared += times * error * error;
  sums.error_distance += times * error * distance;
  sums.target += times * target;
  sums.target_squared += times * target * target;
  sums.distance += times * distance;
  sums.distance_squared += times * distance * distance;
  sums.target_distance += times * target * distance;
  return error;
}

}  // namespace

LowRankGram::LowRankGram(Context& context)
    : context_(context), errors_(context.memory), targets_(context.memory) {}

PairSums LowRankGram::form(const FeatureRows& rows, const SeriesWeights& weights) {
  errors_.get(rows.rows * rows.rows);
  targets_.get(context_.pool.size() * kBlock * rows.rows);
  const std::int64_t blocks = ceil_div(rows.rows, kBlock);
  sums_.assign(static_cast<std::size_t>(blocks), {});
  context_.pool.parallel_for(blocks, [&](std::int64_t block, int worker) {
    sums_[static_cast<std::size_t>(block)] = form_errors_of_block(
        rows, weights, block * kBlock, targets_.data() + worker * kBlock * rows.rows);
  });
  PairSums all;
  for (const PairSums& sums : sums_) all.add(sums);
  return all;
}

// The block's pairs with itself and with all rows behind it, and their mirror images.
PairSums LowRankGram::form_errors_of_block(const FeatureRows& rows, const SeriesWeights& weights,
                                           std::int64_t first, float* targets) {
  const std::int64_t n = rows.rows;
  const std::int64_t count = std::min(kBlock, n - first);
  float* errors = errors_.data();
  float* diagonal = errors + first * n + first;
  inner_products(rows, rows.outputs_begin, rows.columns, first, count, diagonal, n);
  inner_products(rows, FeatureRows::kInputsBegin, rows.outputs_begin, first, count, targets,
                 n - first);
  const auto shift = [&](std::int64_t row) {
    return weights.shift * rows.features[row * rows.stride + 1];
  };
  PairSums sums;
  for (std::int64_t i = first; i < first + count; ++i) {
    const float* inputs = targets + (i - first) * (n - first);
    float* row = errors + i * n;
    for (std::int64_t j = i; j < n; ++j) {
      const double shifts = shift(i) + shift(j);
      const bool same = i == j;
      const double target =
          same ? shifts : weights.constant + shifts - weights.input * inputs[j - first];
      const double distance = same ? 0.0 : weights.offset - row[j];
      row[j] = static_cast<float>(add_entry(weights, target, distance, same ? 1.0 : 2.0, sums));
      errors[j * n + i] = row[j];
    }
  }
  return sums;
}

void LowRankGram::credit(const FeatureRows& rows, std::int64_t first, std::int64_t count,
                         float* to) const {
  const std::int64_t width = rows.outputs();
  if (width == 0) return;
  blas::sgemm(blas::Transpose::kNo, blas::Transpose::kNo, count, width, rows.rows,
              errors_.data() + first * rows.rows, rows.rows, rows.features + rows.outputs_begin,
              rows.stride, 0.0F, to, width);
}

double LowRankGram::bytes(double rows, double threads) {
  return sizeof(float) * rows * (rows + threads * static_cast<double>(kBlock));
}

}  // namespace lpdm::cpu
