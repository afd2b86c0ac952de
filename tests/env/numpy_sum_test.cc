#include "env/numpy_sum.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <numeric>
#include <vector>

namespace lpdm {
namespace {

// Integers add up alike in any order, so nothing may be left out or counted twice.
RC_GTEST_PROP(NumpySumTest, AddsEveryNumberOnce, (const std::vector<std::int32_t>& values)) {
  const std::vector<std::int64_t> numbers(values.begin(), values.end());
  RC_ASSERT(numpy_sum(numbers.size(), [&](std::size_t i) { return numbers[i]; }) ==
            std::accumulate(numbers.begin(), numbers.end(), std::int64_t{0}));
}

TEST(NumpySumTest, AddsInOrderBelowEight) {
  const std::vector<double> values = {1e16, 1.0, 1.0, -1e16};
  EXPECT_EQ(numpy_sum(4, [&](std::size_t i) { return values[i]; }), 0.0);
}

TEST(NumpySumTest, AddsInPairsFromEightOn) {
  const std::vector<double> values = {1e16, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0};
  // (1e16 + 1) + (1 + 1), where in order every single 1 would be lost.
  EXPECT_EQ(numpy_sum(8, [&](std::size_t i) { return values[i]; }), 1e16 + 2.0);
}

TEST(ControlCostTest, RoundsToFloat32AtEveryStep) {
  const std::vector<float> action = {1.0F, 1e-4F};
  EXPECT_EQ(control_cost(0.1, action), 0.1F);  // 1e-8 is lost beside 1
}

}  // namespace
}  // namespace lpdm
