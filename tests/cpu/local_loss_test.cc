// The local loss of the CPU backend against the float64 reference, over shapes and options where
// tiled code breaks: one row, one dimension, odd sizes, duplicates, ties, landmarks.
#include "reference/local_loss.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "lpdm/backend.h"
#include "lpdm/random.h"
#include "reference/closeness.h"

namespace lpdm {
namespace {

using reference::all_close;

struct Case {
  std::int64_t n = 0;
  std::int64_t dim = 4;
  std::int64_t out = 8;
  std::vector<float> x;
  std::vector<float> y;
  std::vector<float> values;
  std::vector<std::int64_t> landmarks;
  LocalLossConfig options;
};

std::vector<float> uniform_values(std::int64_t size, std::uint32_t seed) {
  RandomStream random(seed, {.purpose = StreamPurpose::kBenchmark});
  std::vector<float> values(static_cast<std::size_t>(size));
  for (float& value : values) value = static_cast<float>(random.uniform(-1.0, 1.0));
  return values;
}

Case random_case(std::int64_t n, std::int64_t dim, std::int64_t out) {
  return {.n = n,
          .dim = dim,
          .out = out,
          .x = uniform_values(n * dim, 1),
          .y = uniform_values(n * out, 2),
          .values = {},
          .landmarks = {},
          .options = {}};
}

struct Outcome {
  LocalLossStatistics statistics;
  std::vector<float> grad_y;
};

Outcome run(const Case& c, int threads = 1) {
  ThreadPool pool(threads);
  const auto backend = make_cpu_backend(pool);
  const auto upload = [&]<class T>(const std::vector<T>& values) {
    DeviceArray<T> array(*backend, static_cast<std::int64_t>(values.size()));
    array.write(values);
    return array;
  };
  const auto count = upload(std::vector<std::int64_t>{c.n});
  const auto x = upload(c.x);
  const auto y = upload(c.y);
  const auto values = upload(c.values);
  const auto landmarks = upload(c.landmarks);
  const auto landmark_count = upload(std::vector<std::int64_t>{landmarks.size()});
  DeviceArray<float> shift(*backend, c.n);
  PairwiseTarget target{.rows = {count.data(), c.n},
                        .dim = c.dim,
                        .input = x.data(),
                        .metric = c.options.metric,
                        .guide_base = c.options.guide_base};
  if (!c.values.empty()) {
    backend->guided_shift({.rows = target.rows, .values = values.data(), .shift = shift.data()});
    target.shift = shift.data();
  }
  if (!c.landmarks.empty()) {
    target.landmarks = landmarks.data();
    target.landmark_count = landmark_count.data();
  }
  DeviceArray<TargetScales> scales(*backend, 1);
  backend->target_statistics({.target = target, .scales = scales.data()});
  DeviceArray<float> delta(*backend, c.n * c.out);
  DeviceArray<LocalLossStatistics> statistics(*backend, 1);
  const LocalLossLayer layer{.out = c.out,
                             .output = y.data(),
                             .delta = delta.data(),
                             .delta_through_activation = false,
                             .statistics = statistics.data()};
  backend->local_loss({.target = target,
                       .scales = scales.data(),
                       .scale = c.options.scale,
                       .norm = c.options.norm,
                       .max_gradient = c.options.max_gradient,
                       .layers = &layer,
                       .layer_count = 1});
  return {statistics.read().front(), delta.read()};
}

reference::Values widen(const std::vector<float>& values) { return {values.begin(), values.end()}; }

reference::LocalLossResult expected(const Case& c) {
  return reference::local_loss({.n = c.n,
                                .dim = c.dim,
                                .out = c.out,
                                .x = widen(c.x),
                                .y = widen(c.y),
                                .values = widen(c.values),
                                .landmarks = c.landmarks,
                                .options = c.options});
}

void expect_matches_reference(const Case& c, const std::string& name) {
  SCOPED_TRACE(name);
  const Outcome outcome = run(c);
  const reference::LocalLossResult result = expected(c);
  EXPECT_NEAR(outcome.statistics.loss, result.loss, std::max(1e-5 * result.loss, 1e-6));
  EXPECT_NEAR(outcome.statistics.correlation, result.correlation, 1e-4);
  EXPECT_NEAR(outcome.statistics.mean_distance, result.mean_distance, 1e-5);
  EXPECT_TRUE(all_close(outcome.grad_y, result.grad_y, 1e-4, 1e-6));
}

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
    for (std::int64_t k = 0; k < count; ++k) c.landmarks.push_back(k * 150 / count);
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
  EXPECT_EQ(all.statistics.loss, landmarks.statistics.loss);
  EXPECT_EQ(all.grad_y, landmarks.grad_y);
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
  EXPECT_NEAR(outcome.statistics.loss, expected(equal_outputs).loss, 1e-6);
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
    if (landmarks) c.landmarks = {1, 5, 70, 200, 332};
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
        reference::LocalLossInputs inputs{.n = c.n,
                                          .dim = c.dim,
                                          .out = c.out,
                                          .x = widen(c.x),
                                          .y = widen(c.y),
                                          .values = widen(c.values),
                                          .landmarks = {},
                                          .options = c.options};
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
