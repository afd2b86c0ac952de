// Mean and variance of rows that arrive one by one or in groups, in float64.
//
// add is Welford's update, merge is Chan's: both depend on the order of the rows alone, so a fixed
// order of rows and groups gives the same bits for any number of threads.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace lpdm {

class RunningMoments {
 public:
  RunningMoments() = default;
  explicit RunningMoments(std::int64_t width);
  // From what a checkpoint holds; mean and squares have equal sizes.
  RunningMoments(std::int64_t count, std::vector<double> mean, std::vector<double> squares);

  void clear();
  void add(std::span<const float> row);
  void add(double value);  // width 1
  void merge(const RunningMoments& other);

  std::int64_t count() const { return count_; }
  std::span<const double> mean() const { return mean_; }
  // Sums of the squared deviations from the mean.
  std::span<const double> squares() const { return squares_; }
  // Of the population; 1 before the first row.
  double variance(std::size_t column) const;

 private:
  void add_to(std::size_t column, double value);

  std::int64_t count_ = 0;
  std::vector<double> mean_;     // (width)
  std::vector<double> squares_;  // (width)
};

}  // namespace lpdm
