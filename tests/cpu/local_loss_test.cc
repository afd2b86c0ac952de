// The local loss of the CPU backend against the float64 reference, over shapes and options where
// tiled code breaks: one row, one dimension, odd sizes, duplicates, ties, landmarks.
#include "reference/local_loss.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "cpu/local_loss_case.h"
#include "reference/closeness.h"

namespace lpdm {
namespace {

TEST(LocalLoss, MatchesTheReferenceOnAwkwardShapes) {
  for (const std::int64_t n : {1, 2, 3, 5, 63, 64, 65, 127, 129, 200}) {
    for (const std::int64_t out : {1, 3, 16, 17, 130}) {
      expect_matches_reference(random_case(n, 3, out),
                               std::to_string(n) + "x" + std::to_string(out));
    }
  }
  expect_matches_reference(random_case(70, 1, 513), "wide");
  expect_matches_reference(random_case(70, 105, 4), "wide input");
}

TEST(LocalLoss, MatchesTheReferenceWithEveryOption) {
  for (const Metric metric : {Metric::kL1, Metric::kL2}) {
    for (const LossScale scale : {LossScale::kOwn, LossScale::kCross, LossScale::kNone}) {
      for (const LossNorm norm : {LossNorm::kFrobenius, LossNorm::kSquared}) {
        for (const MaxGradient max : {MaxGradient::kThrough, MaxGradient::kConstant}) {
          for (const int guide : {0, 1, 2}) {
            Case c = random_case(77, 5, 19);
            c.options = {.guided = guide > 0,
                         .metric = metric,
                         .scale = scale,
                         .norm = norm,
                         .max_gradient = max,
                         .guide_base = guide == 2 ? GuideBase::kRaw : GuideBase::kNormalized,
                         .pairs = {}};
            if (guide > 0) c.values = uniform_values(c.n, 3);
            expect_matches_reference(c, "metric " + std::to_string(static_cast<int>(metric)) +
                                            " scale " + std::to_string(static_cast<int>(scale)) +
                                            " norm " + std::to_string(static_cast<int>(norm)) +
                                            " max " + std::to_string(static_cast<int>(max)) +
                                            " guide " + std::to_string(guide));
          }
        }
      }
    }
  }
}

TEST(LocalLoss, MatchesTheReferenceOnLandmarks) {
  for (const std::int64_t count : {1, 2, 63, 64, 65, 100, 150}) {
    Case c = random_case(150, 4, 20);
    choose_landmarks(c, count);
    expect_matches_reference(c, std::to_string(count) + " landmarks");
    c.values = uniform_values(c.n, 3);
    c.options.guided = true;
    expect_matches_reference(c, std::to_string(count) + " landmarks, guided");
    c.options.metric = Metric::kL2;
    expect_matches_reference(c, std::to_string(count) + " landmarks, guided, l2");
  }
}

TEST(LocalLoss, AllRowsAsLandmarksEqualAllPairs) {
  Case c = random_case(90, 4, 20);
  const Outcome all = run(c);
  c.landmarks.resize(90);
  std::iota(c.landmarks.begin(), c.landmarks.end(), 0);
  const Outcome landmarks = run(c);
  EXPECT_NEAR(all.statistics.loss, landmarks.statistics.loss, 1e-6 * all.statistics.loss);
  const reference::Values gradient(all.grad_y.begin(), all.grad_y.end());
  EXPECT_TRUE(reference::all_close(landmarks.grad_y, gradient, 1e-5, 0.0));
}

TEST(LocalLoss, SharesTheMaximumAmongManyTies) {
  // Corners of a cube: the largest distance is shared by more pairs than are listed one by one.
  for (const Metric metric : {Metric::kL1, Metric::kL2}) {
    Case c = random_case(150, 4, 3);
    for (float& value : c.y) value = value > 0.0F ? 1.0F : -1.0F;
    c.options.metric = metric;
    expect_matches_reference(c, "corners");
  }
}

TEST(LocalLoss, TellsSaturatedMaximaApartBelowFloat32) {
  // Corners again, each coordinate off by a few units in the last place: distances that float32
  // sums to the same number differ, and only the largest carries the gradient of the maximum.
  Case c = random_case(40, 4, 6);
  const std::vector<float> jitter = uniform_values(c.n * c.out, 9);
  for (std::size_t k = 0; k < c.y.size(); ++k) {
    const float corner = c.y[k] > 0.0F ? 1.0F : -1.0F;
    c.y[k] = corner * (1.0F - 3e-7F * std::abs(jitter[k]));
  }
  expect_matches_reference(c, "jittered corners");
}

TEST(LocalLoss, TreatsTiesAndDuplicatesAsZeroDirection) {
  Case c = random_case(130, 4, 24);
  for (std::int64_t k = 0; k < 24; ++k) c.y[100 * 24 + k] = c.y[3 * 24 + k];  // duplicate rows
  for (std::int64_t i = 0; i < c.n; ++i) {
    c.y[i * 24 + 5] = 0.0F;                                       // a dead unit
    if (i % 2 == 0) c.y[i * 24 + 6] = 1.0F;                       // a saturated one
    c.y[i * 24 + 7] = std::round(c.y[i * 24 + 7] * 4.0F) / 4.0F;  // many equal values
  }
  expect_matches_reference(c, "l1");
  c.options.metric = Metric::kL2;
  expect_matches_reference(c, "l2");
}

TEST(LocalLoss, ResolvesTinyDifferencesOfLargeValues) {
  Case c = random_case(100, 4, 10);
  for (std::int64_t i = 0; i < c.n; ++i) {
    for (std::int64_t d = 0; d < c.out; ++d) {
      float& value = c.y[i * c.out + d];
      value = 0.7F + 1e-5F * value;
    }
  }
  expect_matches_reference(c, "close together");
  for (float& value : c.y) value *= 1e6F;  // unbounded activations
  expect_matches_reference(c, "large");
}

TEST(LocalLoss, IsDefinedOnDegenerateBatches) {
  Case equal_inputs = random_case(20, 4, 6);
  std::fill(equal_inputs.x.begin(), equal_inputs.x.end(), 0.25F);
  expect_matches_reference(equal_inputs, "equal inputs");

  Case equal_outputs = random_case(20, 4, 6);
  std::fill(equal_outputs.y.begin(), equal_outputs.y.end(), 0.5F);
  const Outcome outcome = run(equal_outputs);
  EXPECT_NEAR(outcome.statistics.loss, expected(equal_outputs).front().loss, 1e-6);
  EXPECT_EQ(outcome.grad_y, std::vector<float>(20 * 6, 0.0F));

  Case single = random_case(1, 4, 6);
  EXPECT_EQ(run(single).statistics.loss, 0.0);
  single.values = {3.0F};
  single.options.guided = true;
  EXPECT_NEAR(run(single).statistics.loss, 0.25, 1e-7);  // s_T: the diagonal alone
}

TEST(LocalLoss, GradientIsOrthogonalToTheOutputs) {
  // D̄_Y does not change when y is scaled.
  const Case c = random_case(300, 6, 40);
  const std::vector<float> gradient = run(c).grad_y;
  double dot = 0.0, size = 0.0;
  for (std::size_t k = 0; k < gradient.size(); ++k) {
    dot += static_cast<double>(gradient[k]) * c.y[k];
    size += std::abs(static_cast<double>(gradient[k]) * c.y[k]);
  }
  EXPECT_LT(std::abs(dot), 1e-5 * size);
}

TEST(LocalLoss, DoesNotDependOnTheNumberOfThreads) {
  Case c = random_case(333, 6, 40);
  for (const bool landmarks : {false, true}) {
    if (landmarks) c.landmarks = {200, 1, 332, 5, 70};
    const Outcome one = run(c, 1);
    for (const int threads : {2, 3, 5}) {
      const Outcome many = run(c, threads);
      EXPECT_EQ(one.statistics.loss, many.statistics.loss);
      EXPECT_EQ(one.statistics.correlation, many.statistics.correlation);
      EXPECT_EQ(one.grad_y, many.grad_y);
    }
  }
}

// The reference itself: its gradient against central differences of its loss.
TEST(LocalLossReference, GradientMatchesFiniteDifferences) {
  for (const Metric metric : {Metric::kL1, Metric::kL2}) {
    for (const LossNorm norm : {LossNorm::kFrobenius, LossNorm::kSquared}) {
      for (const bool guided : {false, true}) {
        Case c = random_case(9, 3, 5);
        c.options.guided = guided;
        c.options.metric = metric;
        c.options.norm = norm;
        if (guided) c.values = uniform_values(c.n, 3);
        reference::LocalLossInputs inputs = reference_inputs(c);
        const reference::Values gradient = reference::local_loss(inputs).grad_y;
        constexpr double kStep = 1e-6;
        for (std::size_t k = 0; k < gradient.size(); ++k) {
          const double at = inputs.y[k];
          inputs.y[k] = at + kStep;
          const double above = reference::local_loss(inputs).loss;
          inputs.y[k] = at - kStep;
          const double below = reference::local_loss(inputs).loss;
          inputs.y[k] = at;
          EXPECT_NEAR(gradient[k], (above - below) / (2.0 * kStep), 1e-7);
        }
      }
    }
  }
}

}  // namespace
}  // namespace lpdm
