#include "rl/running_moments.h"

#include <algorithm>
#include <utility>

namespace lpdm {

RunningMoments::RunningMoments(std::int64_t width)
    : mean_(static_cast<std::size_t>(width)), squares_(static_cast<std::size_t>(width)) {}

RunningMoments::RunningMoments(std::int64_t count, std::vector<double> mean,
                               std::vector<double> squares)
    : count_(count), mean_(std::move(mean)), squares_(std::move(squares)) {}

void RunningMoments::clear() {
  count_ = 0;
  std::ranges::fill(mean_, 0.0);
  std::ranges::fill(squares_, 0.0);
}

void RunningMoments::add_to(std::size_t column, double value) {
  const double deviation = value - mean_[column];
  mean_[column] += deviation / static_cast<double>(count_);
  squares_[column] += deviation * (value - mean_[column]);
}

void RunningMoments::add(std::span<const float> row) {
  ++count_;
  for (std::size_t d = 0; d < row.size(); ++d) add_to(d, row[d]);
}

void RunningMoments::add(double value) {
  ++count_;
  add_to(0, value);
}

void RunningMoments::merge(const RunningMoments& other) {
  if (other.count_ == 0) return;
  const auto mine = static_cast<double>(count_), theirs = static_cast<double>(other.count_);
  const double total = mine + theirs;
  for (std::size_t d = 0; d < mean_.size(); ++d) {
    const double deviation = other.mean_[d] - mean_[d];
    mean_[d] += deviation * (theirs / total);
    squares_[d] += other.squares_[d] + deviation * deviation * (mine * theirs / total);
  }
  count_ += other.count_;
}

double RunningMoments::variance(std::size_t column) const {
  return count_ == 0 ? 1.0 : squares_[column] / static_cast<double>(count_);
}

}  // namespace lpdm
