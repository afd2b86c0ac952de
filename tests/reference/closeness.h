// The goldens' measure of agreement: relative to the largest entry, or absolute for tiny ones.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

namespace lpdm::reference {

// |actual − expected| ≤ relative · max|expected|, or ≤ absolute, in every entry.
template <class Actual>
::testing::AssertionResult all_close(const std::vector<Actual>& actual,
                                     const std::vector<double>& expected, double relative,
                                     double absolute) {
  if (actual.size() != expected.size()) {
    return ::testing::AssertionFailure()
           << actual.size() << " entries, expected " << expected.size();
  }
  double largest = 0.0;
  for (const double value : expected) largest = std::max(largest, std::abs(value));
  for (std::size_t k = 0; k < actual.size(); ++k) {
    const double difference = std::abs(static_cast<double>(actual[k]) - expected[k]);
    if (!(difference <= std::max(relative * largest, absolute))) {
      return ::testing::AssertionFailure() << "entry " << k << " is " << actual[k] << ", expected "
                                           << expected[k] << " (largest " << largest << ")";
    }
  }
  return ::testing::AssertionSuccess();
}

}  // namespace lpdm::reference
