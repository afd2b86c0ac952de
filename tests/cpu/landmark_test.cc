// Few landmarks, which have a path of their own, against the float64 reference: sizes around its
// blocks and vectors, ties, shared maxima, activations, degenerate batches, threads.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "cpu/local_loss_case.h"
#include "test_backend.h"

namespace lpdm {
namespace {

void guide(Case& c, GuideBase base) {
  c.options.guided = true;
  c.options.guide_base = base;
  c.values = uniform_values(c.n, 3);
}

TEST(Landmarks, MatchTheReferenceOnAwkwardShapes) {
  std::int64_t number = 0;
  for (const std::int64_t n : {2, 3, 31, 33, 130, 300}) {
    for (const std::int64_t count : {1, 2, 15, 16, 17, 48, 65, 140}) {
      if (2 * count > n) continue;
      for (const std::int64_t out : {1, 3, 16, 31, 33, 64, 130}) {
        if (leaves_out(number++)) continue;
        Case c = random_case(n, 3, out);
        choose_landmarks(c, count);
        expect_matches_reference(
            c, std::to_string(count) + " of " + std::to_string(n) + "x" + std::to_string(out));
      }
    }
  }
}

TEST(Landmarks, MatchTheReferenceBeyondOneChunk) {
  Case c = random_case(600, 20, 300);
  choose_landmarks(c, 256);
  expect_matches_reference(c, "256 of 600");
  choose_landmarks(c, 16);
  expect_matches_reference(c, "16 of 600");
}

TEST(Landmarks, MatchTheReferenceWithEveryOption) {
  std::int64_t number = 0;
  for (const Metric metric : {Metric::kL1, Metric::kL2}) {
    for (const LossScale scale : {LossScale::kOwn, LossScale::kCross, LossScale::kNone}) {
      for (const LossNorm norm : {LossNorm::kFrobenius, LossNorm::kSquared}) {
        for (const MaxGradient max : {MaxGradient::kThrough, MaxGradient::kConstant}) {
          for (const int guided : {0, 1, 2}) {
            if (leaves_out(number++)) continue;
            Case c = random_case(77, 5, 19);
            add_layer(c, 40);
            choose_landmarks(c, 20);
            c.options.metric = metric;
            c.options.scale = scale;
            c.options.norm = norm;
            c.options.max_gradient = max;
            if (guided > 0) guide(c, guided == 2 ? GuideBase::kRaw : GuideBase::kNormalized);
            expect_matches_reference(c, "metric " + std::to_string(static_cast<int>(metric)) +
                                            " scale " + std::to_string(static_cast<int>(scale)) +
                                            " norm " + std::to_string(static_cast<int>(norm)) +
                                            " max " + std::to_string(static_cast<int>(max)) +
                                            " guided " + std::to_string(guided));
          }
        }
      }
    }
  }
}

TEST(Landmarks, GoThroughTheActivation) {
  for (const Activation activation :
       {Activation::kTanh, Activation::kRelu, Activation::kIdentity}) {
    for (const std::int64_t out : {32, 45}) {
      Case c = random_case(140, 5, out);
      choose_landmarks(c, 24);
      c.through = activation;
      if (activation == Activation::kRelu) {
        for (float& y : c.y) y = std::max(y, 0.0F);  // half of all values are tied at 0
      }
      expect_matches_reference(c, "activation " + std::to_string(static_cast<int>(activation)));
    }
  }
}

TEST(Landmarks, TreatTiesAndDuplicatesAsZeroDirection) {
  Case c = random_case(130, 4, 70);
  choose_landmarks(c, 40);
  for (std::int64_t k = 0; k < 70; ++k) {  // a row that equals a landmark, one landmark another
    c.y[static_cast<std::size_t>(101 * 70 + k)] = c.y[static_cast<std::size_t>(k)];
    c.y[static_cast<std::size_t>(c.landmarks[5] * 70 + k)] =
        c.y[static_cast<std::size_t>(c.landmarks[9] * 70 + k)];
  }
  for (std::int64_t i = 0; i < c.n; ++i) {
    float* y = c.y.data() + i * 70;
    y[5] = 0.0F;                                       // a dead unit
    if (i % 2 == 0) y[6] = i % 4 == 0 ? 0.0F : -0.0F;  // zeros of either sign
    y[40] = std::round(y[40] * 4.0F) / 4.0F;           // many equal values
    if (i == 77) y[69] = c.y[static_cast<std::size_t>(c.landmarks[3] * 70 + 69)];  // a single one
  }
  expect_matches_reference(c, "l1");
  c.options.metric = Metric::kL2;
  expect_matches_reference(c, "l2");
}

TEST(Landmarks, ShareTheMaximum) {
  // Corners of a cube: more pairs share the largest distance than are listed one by one.
  for (const Metric metric : {Metric::kL1, Metric::kL2}) {
    Case c = random_case(200, 4, 3);
    choose_landmarks(c, 50);
    for (float& value : c.y) value = value > 0.0F ? 1.0F : -1.0F;
    c.options.metric = metric;
    add_layer(c, 20);  // one that is done when the other has to be repeated
    expect_matches_reference(c, "corners");
  }
  // A few ulp off: float32 cannot tell the largest of the distances.
  Case c = random_case(40, 4, 6);
  choose_landmarks(c, 10);
  const std::vector<float> jitter = uniform_values(c.n * c.out, 9);
  for (std::size_t k = 0; k < c.y.size(); ++k) {
    const float corner = c.y[k] > 0.0F ? 1.0F : -1.0F;
    c.y[k] = corner * (1.0F - 3e-7F * std::abs(jitter[k]));
  }
  expect_matches_reference(c, "jittered corners");
}

TEST(Landmarks, ResolveTinyDifferencesOfLargeValues) {
  Case c = random_case(100, 4, 40);
  choose_landmarks(c, 16);
  for (float& value : c.y) value = 0.7F + 1e-5F * value;
  expect_matches_reference(c, "close together");
  for (float& value : c.y) value *= 1e6F;
  expect_matches_reference(c, "large");
}

TEST(Landmarks, AreDefinedOnDegenerateBatches) {
  for (const bool guided : {false, true}) {
    Case c = random_case(40, 4, 35);
    choose_landmarks(c, 7);
    if (guided) guide(c, GuideBase::kNormalized);
    Case equal_inputs = c;
    std::ranges::fill(equal_inputs.x, 0.25F);
    expect_matches_reference(equal_inputs, "equal inputs");
    std::ranges::fill(c.y, 0.5F);
    expect_matches_reference(c, "equal outputs");
    EXPECT_EQ(run(c).grad_y, std::vector<float>(c.y.size(), 0.0F));
  }
}

// Layers of few outputs go together, those of more one after another.
TEST(Landmarks, LayersDoNotDependOnEachOther) {
  for (const std::int64_t n : {700, 1500}) {
    Case c = random_case(n, 6, 200);
    add_layer(c, 190);
    choose_landmarks(c, 60);
    const std::vector<Outcome> both = run_layers(c, 2);
    Case first = c;
    first.above.clear();
    Case second = first;
    second.out = c.above[0].out;
    second.y = c.above[0].y;
    EXPECT_EQ(run(first).grad_y, both[0].grad_y);
    EXPECT_EQ(run(second).grad_y, both[1].grad_y);
    EXPECT_EQ(run(second).statistics.loss, both[1].statistics.loss);
  }
}

TEST(Landmarks, DoNotDependOnTheNumberOfThreads) {
  Case c = random_case(1000, 6, 40);
  add_layer(c, 33);
  choose_landmarks(c, 60);
  guide(c, GuideBase::kNormalized);
  const std::vector<Outcome> one = run_layers(c, 1);
  for (const int threads : {2, 3, 5}) {
    const std::vector<Outcome> many = run_layers(c, threads);
    for (std::size_t l = 0; l < one.size(); ++l) {
      EXPECT_EQ(one[l].statistics.loss, many[l].statistics.loss);
      EXPECT_EQ(one[l].statistics.correlation, many[l].statistics.correlation);
      EXPECT_EQ(one[l].grad_y, many[l].grad_y);
    }
  }
}

}  // namespace
}  // namespace lpdm
