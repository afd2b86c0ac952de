// backend.arithmetic fixed on the CPU: 16-bit levels against the float64 reference, with every way
// of choosing pairs, and what must be exact about them.
#include <gtest/gtest.h>
#include <hwy/targets.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <string>

#include "cpu/local_loss_case.h"
#include "cpu/pairs/levels.h"
#include "reference/closeness.h"
#include "test_backend.h"

namespace lpdm {
namespace {

Case fixed_case(std::int64_t n, std::int64_t dim, std::int64_t out) {
  Case c = random_case(n, dim, out);
  c.backend.arithmetic = Arithmetic::kFixed;
  c.through = Activation::kTanh;
  return c;
}

void guide(Case& c) {
  c.options.guided = true;
  c.values = uniform_values(c.n, 3);
}

double root_mean_square(const std::vector<double>& values) {
  double sum = 0.0;
  for (const double value : values) sum += value * value;
  return std::sqrt(sum / static_cast<double>(values.size()));
}

// Levels are 2⁻¹⁵ apart, coefficients are rounded to some 2⁻¹¹ of the largest, and outputs closer
// than a level have an arbitrary order, which of few pairs may be seen in single entries.
void expect_close(const Case& c, const std::string& name) {
  const std::vector<Outcome> outcomes = run_layers(c);
  const std::vector<reference::LocalLossResult> results = expected(c);
  for (std::size_t l = 0; l < results.size(); ++l) {
    SCOPED_TRACE(name + ", layer " + std::to_string(l + 1));
    EXPECT_NEAR(outcomes[l].statistics.loss, results[l].loss,
                std::max(3e-5 * results[l].loss, 1e-6));
    const std::vector<double>& gradient = results[l].grad_y;
    std::vector<double> difference(gradient.size());
    for (std::size_t k = 0; k < gradient.size(); ++k) {
      difference[k] = outcomes[l].grad_y[k] - gradient[k];
    }
    EXPECT_LE(root_mean_square(difference), 2e-3 * root_mean_square(gradient) + 1e-7);
  }
}

TEST(FixedArithmetic, ComesCloseToTheReferenceForAllPairs) {
  for (const std::int64_t n : {2, 3, 63, 65, 130, 321}) {
    for (const std::int64_t out : {1, 7, 31, 33, 64, 130}) {
      expect_close(fixed_case(n, 5, out), std::to_string(n) + "x" + std::to_string(out));
    }
  }
}

TEST(FixedArithmetic, ComesCloseToTheReferenceForLandmarks) {
  for (const std::int64_t n : {33, 130, 300}) {
    for (const std::int64_t count : {1, 15, 16, 17, 48, 100, 140}) {  // also more than half of n
      if (count > n) continue;
      for (const std::int64_t out : {1, 31, 33, 64, 130}) {
        Case c = fixed_case(n, 5, out);
        choose_landmarks(c, count);
        expect_close(
            c, std::to_string(count) + " of " + std::to_string(n) + "x" + std::to_string(out));
      }
    }
  }
  Case c = fixed_case(600, 20, 300);
  choose_landmarks(c, 256);
  expect_close(c, "256 of 600");
}

TEST(FixedArithmetic, IsWhatAutoTakes) {
  Case c = fixed_case(70, 5, 40);
  const Outcome fixed = run(c);
  c.backend.arithmetic = Arithmetic::kAuto;
  EXPECT_EQ(run(c).grad_y, fixed.grad_y);
  c.backend.arithmetic = Arithmetic::kHalf2;  // float32 on the CPU
  const Outcome half = run(c);
  EXPECT_NE(half.grad_y, fixed.grad_y);
  c.backend.arithmetic = Arithmetic::kFp32;
  EXPECT_EQ(run(c).grad_y, half.grad_y);
}

TEST(FixedArithmetic, TakesEveryOption) {
  for (const bool landmarks : {false, true}) {
    for (const LossScale scale : {LossScale::kOwn, LossScale::kCross, LossScale::kNone}) {
      for (const LossNorm norm : {LossNorm::kFrobenius, LossNorm::kSquared}) {
        for (const bool guided : {false, true}) {
          Case c = fixed_case(150, 5, 40);
          add_layer(c, 35);
          if (landmarks) choose_landmarks(c, 20);
          c.options.scale = scale;
          c.options.norm = norm;
          if (guided) guide(c);
          expect_close(c, "landmarks " + std::to_string(landmarks) + " scale " +
                              std::to_string(static_cast<int>(scale)) + " norm " +
                              std::to_string(static_cast<int>(norm)) + " guided " +
                              std::to_string(guided));
        }
      }
    }
  }
  Case sparse = fixed_case(150, 5, 40);
  sparse.options.pairs.sparse = SparsePairs::kClosestFurthest;
  expect_close(sparse, "sparse");
  Case episodes = fixed_case(200, 5, 40);
  episodes.episode_ends = {3, 70, 199, 200};
  expect_close(episodes, "episodes");
}

// So many layers that their distances are not kept: the maximum is searched for instead.
TEST(FixedArithmetic, FindsTheMaximumWithoutKeptDistances) {
  Case alone = fixed_case(2000, 5, 20);
  Case many = alone;
  for (int layer = 0; layer < 12; ++layer) add_layer(many, 3);
  const Outcome streamed = run_layers(many).front();
  const Outcome stored = run_layers(alone).front();
  // Their sums are added in other orders.
  EXPECT_NEAR(streamed.statistics.loss, stored.statistics.loss, 1e-7 * stored.statistics.loss);
  EXPECT_EQ(streamed.statistics.max_distance, stored.statistics.max_distance);
  const reference::Values gradient(stored.grad_y.begin(), stored.grad_y.end());
  EXPECT_TRUE(reference::all_close(streamed.grad_y, gradient, 1e-5, 0.0));
}

// Deltas of more than 8 MB, which float32 checks: the reference would take minutes. The last rows
// do not fill a block. Row by row, since those of the landmarks are far larger than the others.
TEST(FixedArithmetic, WritesLargeDeltas) {
  for (const std::int64_t out : {256, 255}) {
    Case c = fixed_case(8301, 5, out);
    choose_landmarks(c, 20);
    const std::vector<float> fixed = run(c, 2).grad_y;
    c.backend.arithmetic = Arithmetic::kFp32;
    const std::vector<float> expected = run(c, 2).grad_y;
    for (std::int64_t row = 0; row < c.n; ++row) {
      const std::vector<double> size(expected.data() + row * out,
                                     expected.data() + (row + 1) * out);
      std::vector<double> difference(size.size());
      std::transform(size.begin(), size.end(), fixed.data() + row * out, difference.begin(),
                     std::minus<double>());
      ASSERT_LE(root_mean_square(difference), 0.1 * root_mean_square(size)) << row;
    }
  }
}

// The largest sums that there are: of levels in 32 bits, of coefficients in 16.
TEST(FixedArithmetic, HoldsTheLargestSums) {
  Case wide = fixed_case(40, 5, 16384);
  std::fill_n(wide.y.begin(), wide.out, 1.0F);
  std::fill_n(wide.y.begin() + wide.out, wide.out, -1.0F);
  for (const std::int64_t landmarks : {0, 20}) {
    choose_landmarks(wide, landmarks);
    EXPECT_EQ(run(wide).statistics.max_distance, 2.0F * 16384.0F);
  }
  // All errors have one sign, and the first row's and the last row's outputs are the extremes.
  Case ramp = fixed_case(600, 1, 1);
  std::ranges::fill(ramp.x, 0.0F);
  for (std::int64_t row = 0; row < ramp.n; ++row) {
    ramp.y[static_cast<std::size_t>(row)] = static_cast<float>(row) / 600.0F - 0.5F;
  }
  for (const std::int64_t landmarks : {0, 255, 256}) {
    choose_landmarks(ramp, landmarks);
    expect_close(ramp, "ramp, " + std::to_string(landmarks) + " landmarks");
  }
}

TEST(FixedArithmetic, IsDefinedForOneRow) {
  Case c = fixed_case(1, 5, 40);
  EXPECT_EQ(run(c).grad_y, std::vector<float>(c.y.size(), 0.0F));
  guide(c);
  EXPECT_NEAR(run(c).statistics.loss, expected(c)[0].loss, 1e-6);
}

TEST(FixedArithmetic, GivesNoGradientWhereAllRowsAreEqual) {
  for (const bool landmarks : {false, true}) {
    Case c = fixed_case(40, 4, 35);
    if (landmarks) choose_landmarks(c, 7);
    std::ranges::fill(c.y, 0.5F);
    EXPECT_EQ(run(c).grad_y, std::vector<float>(c.y.size(), 0.0F));
  }
}

TEST(FixedArithmetic, SharesTheMaximumAmongManyPairs) {
  for (const bool landmarks : {false, true}) {
    Case c = fixed_case(200, 4, 3);
    c.through = std::nullopt;
    if (landmarks) choose_landmarks(c, 50);
    // Corners of a cube, which fall on levels: nothing is rounded but the coefficients. Equal
    // outputs have an order all the same, so a row's gradient is not to be compared.
    for (float& y : c.y) y = y > 0.0F ? 1.0F : -1.0F;
    const Outcome outcome = run(c);
    EXPECT_NEAR(outcome.statistics.loss, expected(c)[0].loss, 1e-5 * expected(c)[0].loss);
    double sum = 0.0;
    double size = 0.0;
    double along_outputs = 0.0;
    for (std::size_t k = 0; k < c.y.size(); ++k) {
      sum += outcome.grad_y[k];
      size += std::abs(outcome.grad_y[k]);
      along_outputs += static_cast<double>(outcome.grad_y[k]) * c.y[k];
    }
    EXPECT_GT(size, 0.0);
    EXPECT_LT(std::abs(sum), 1e-3 * size);  // what one end of a pair gets the other one loses
    // The loss does not change with the outputs' scale, thanks to the maximum's part.
    EXPECT_LT(std::abs(along_outputs), 1e-3 * size);
  }
}

TEST(FixedArithmetic, TellsOfOutputsThatAreNotFinite) {
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    for (const bool landmarks : {false, true}) {
      Case c = fixed_case(150, 4, 35);
      if (landmarks) choose_landmarks(c, 16);
      c.y[35 * 99 + 20] = bad;
      EXPECT_FALSE(std::isfinite(run(c).statistics.loss));
    }
    Case landmark = fixed_case(33, 4, 35);
    landmark.landmarks = {32};  // the only row of its block
    landmark.y[35 * 32] = bad;
    EXPECT_FALSE(std::isfinite(run(landmark).statistics.loss));
  }
}

TEST(FixedArithmetic, LeavesInFloat32WhatLevelsCannotStandFor) {
  for (const bool landmarks : {false, true}) {
    Case euclidean = fixed_case(150, 5, 40);
    euclidean.options.metric = Metric::kL2;
    Case unbounded = fixed_case(150, 5, 40);
    unbounded.through = Activation::kRelu;
    Case propagated = fixed_case(150, 5, 40);
    add_layer(propagated, 30);
    propagated.options.target = TargetRule::kErrorPropagation;
    const Case too_wide = fixed_case(40, 5, 16385);
    for (Case c : {euclidean, unbounded, propagated, too_wide}) {
      if (landmarks) choose_landmarks(c, 20);
      const std::vector<Outcome> fixed = run_layers(c);
      c.backend.arithmetic = Arithmetic::kFp32;
      expect_same(fixed, run_layers(c));
    }
  }
}

TEST(FixedArithmetic, DoesNotDependOnTheNumberOfThreads) {
  for (const bool landmarks : {false, true}) {
    Case c = fixed_case(1000, 6, 40);
    add_layer(c, 33);
    guide(c);
    if (landmarks) choose_landmarks(c, 60);
    const std::vector<Outcome> one = run_layers(c, 1);
    for (const int threads : {2, 3, 5}) expect_same(one, run_layers(c, threads));
  }
}

TEST(FixedArithmetic, HasTheSameLevelsOnEveryGenerationOfVectorUnits) {
  constexpr std::int64_t kRows = 300, kDim = 75, kStride = 96;
  const std::vector<float> y = uniform_values(kRows * kDim, 1);
  std::vector<std::int16_t> newest(kRows * kStride), levels(kRows * kStride);
  std::vector<std::int32_t> newest_sums(kRows), sums(kRows);
  cpu::to_levels(y.data(), kRows, kDim, kStride, newest.data(), newest_sums.data());
  for (const std::int64_t target : hwy::SupportedAndGeneratedTargets()) {
    hwy::SetSupportedTargetsForTest(target);
    cpu::to_levels(y.data(), kRows, kDim, kStride, levels.data(), sums.data());
    hwy::SetSupportedTargetsForTest(0);
    EXPECT_EQ(levels, newest);
    EXPECT_EQ(sums, newest_sums);
  }
}

TEST(FixedArithmetic, HasTheSameDistancesOnEveryGenerationOfVectorUnits) {
  for (const bool landmarks : {false, true}) {
    Case c = fixed_case(300, 6, 75);
    if (landmarks) choose_landmarks(c, 40);
    const Outcome newest = run(c);
    for (const std::int64_t target : hwy::SupportedAndGeneratedTargets()) {
      hwy::SetSupportedTargetsForTest(target);
      const Outcome outcome = run(c);
      hwy::SetSupportedTargetsForTest(0);
      EXPECT_EQ(outcome.statistics.max_distance, newest.statistics.max_distance);
      EXPECT_NEAR(outcome.statistics.loss, newest.statistics.loss, 1e-5 * newest.statistics.loss);
      double largest = 0.0;
      for (const float entry : newest.grad_y) largest = std::max<double>(largest, std::abs(entry));
      for (std::size_t k = 0; k < newest.grad_y.size(); ++k) {
        ASSERT_NEAR(outcome.grad_y[k], newest.grad_y[k], 1e-3 * largest);
      }
    }
  }
}

}  // namespace
}  // namespace lpdm
