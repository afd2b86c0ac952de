#include "rl/running_moments.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace lpdm {
namespace {

// Numbers far from zero, where a sum of squares would lose all digits of the variance.
float value(int row, int column) {
  return 1e4F + std::sin(0.7F * static_cast<float>(row * row + column));
}

RunningMoments moments_of(int first, int last) {
  RunningMoments moments(2);
  for (int row = first; row < last; ++row) {
    moments.add(std::vector<float>{value(row, 0), value(row, 1)});
  }
  return moments;
}

void expect_plain_moments(const RunningMoments& moments, int rows) {
  EXPECT_EQ(moments.count(), rows);
  for (int column = 0; column < 2; ++column) {
    double mean = 0.0, squares = 0.0;
    for (int row = 0; row < rows; ++row) mean += value(row, column) / static_cast<double>(rows);
    for (int row = 0; row < rows; ++row) squares += std::pow(value(row, column) - mean, 2);
    const auto c = static_cast<std::size_t>(column);
    EXPECT_NEAR(moments.mean()[c], mean, 1e-8);
    EXPECT_NEAR(moments.variance(c), squares / rows, 1e-9);
  }
}

TEST(RunningMoments, AddGivesMeanAndVariance) { expect_plain_moments(moments_of(0, 500), 500); }

TEST(RunningMoments, MergedGroupsGiveTheSame) {
  RunningMoments total(2);
  for (const auto& [first, last] :
       std::vector<std::pair<int, int>>{{0, 1}, {1, 1}, {1, 200}, {200, 203}, {203, 500}}) {
    total.merge(moments_of(first, last));
  }
  expect_plain_moments(total, 500);
}

TEST(RunningMoments, StartsWithVarianceOne) {
  RunningMoments moments(1);
  EXPECT_EQ(moments.variance(0), 1.0);
  moments.add(7.0);
  EXPECT_EQ(moments.mean()[0], 7.0);
  EXPECT_EQ(moments.variance(0), 0.0);
  moments.clear();
  EXPECT_EQ(moments.variance(0), 1.0);
}

}  // namespace
}  // namespace lpdm
