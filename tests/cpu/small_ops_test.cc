// Returns, shifts, landmark draws, policy losses, Adam and activation statistics on known inputs.
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <numbers>
#include <set>

#include "lpdm/backend.h"
#include "lpdm/error.h"
#include "test_backend.h"

namespace lpdm {
namespace {

class SmallOps : public ::testing::Test {
 protected:
  ThreadPool pool_{1};
  std::unique_ptr<Backend> backend_ = make_test_backend(pool_);

  template <class T>
  DeviceArray<T> upload(const std::vector<T>& values) {
    DeviceArray<T> array(*backend_, static_cast<std::int64_t>(values.size()));
    array.write(values);
    return array;
  }
  DeviceArray<std::int64_t> count(std::int64_t n) { return upload(std::vector<std::int64_t>{n}); }
};

TEST_F(SmallOps, ReturnsStayWithinTheirEpisodes) {
  const auto rows = count(5), episodes = count(2);
  const auto rewards = upload<float>({1, 2, 4, 10, 20});
  const auto ends = upload<std::int64_t>({3, 5});
  DeviceArray<float> returns(*backend_, 5);
  const DiscountedReturns op{.rows = {rows.data(), 5},
                             .rewards = rewards.data(),
                             .episode_ends = ends.data(),
                             .episode_count = episodes.data(),
                             .discount = 0.5,
                             .normalize = false,
                             .returns = returns.data()};
  backend_->discounted_returns(op);
  EXPECT_EQ(returns.read(), (std::vector<float>{3, 4, 4, 20, 20}));
}

TEST_F(SmallOps, NormalizedReturnsHaveMeanZeroAndStdOne) {
  const auto rows = count(4), episodes = count(1);
  const auto rewards = upload<float>({1, 0, 0, 7});
  const auto ends = upload<std::int64_t>({4});
  DeviceArray<float> returns(*backend_, 4);
  backend_->discounted_returns({.rows = {rows.data(), 4},
                                .rewards = rewards.data(),
                                .episode_ends = ends.data(),
                                .episode_count = episodes.data(),
                                .discount = 1.0,
                                .normalize = true,
                                .returns = returns.data()});
  // To go: 8 7 7 7; mean 7.25, population std √0.1875.
  const double std = std::sqrt(0.1875);
  EXPECT_NEAR(returns.read()[0], 0.75 / std, 1e-6);
  EXPECT_NEAR(returns.read()[3], -0.25 / std, 1e-6);
}

TEST_F(SmallOps, ConstantReturnsNormalizeToZero) {
  const auto rows = count(1), episodes = count(1);
  const auto rewards = upload<float>({3});
  const auto ends = upload<std::int64_t>({1});
  DeviceArray<float> returns(*backend_, 1);
  backend_->discounted_returns({.rows = {rows.data(), 1},
                                .rewards = rewards.data(),
                                .episode_ends = ends.data(),
                                .episode_count = episodes.data(),
                                .returns = returns.data()});
  EXPECT_EQ(returns.read().front(), 0.0F);
}

TEST_F(SmallOps, GuidedShiftsPullBadStatesApart) {
  const auto rows = count(3);
  const auto values = upload<float>({-1, 3, 1});
  DeviceArray<float> shift(*backend_, 3);
  backend_->guided_shift(
      {.rows = {rows.data(), 3}, .values = values.data(), .shift = shift.data()});
  EXPECT_EQ(shift.read(), (std::vector<float>{0.5F, 0.0F, 0.25F}));
  const auto constant = upload<float>({2, 2, 2});
  backend_->guided_shift(
      {.rows = {rows.data(), 3}, .values = constant.data(), .shift = shift.data()});
  EXPECT_EQ(shift.read(), (std::vector<float>{0.5F, 0.5F, 0.5F}));
}

TEST_F(SmallOps, LandmarksAreDistinctAndUniform) {
  const auto rows = count(20);
  DeviceArray<std::int64_t> selected(*backend_, 30), selected_count(*backend_, 1);
  std::map<std::int64_t, int> drawn;
  constexpr int kDraws = 4000;
  for (std::int64_t i = 0; i < kDraws; ++i) {
    const auto iteration = count(i);
    backend_->draw_landmarks({.rows = {rows.data(), 20},
                              .landmarks = 5,
                              .seed = 7,
                              .iteration = iteration.data(),
                              .selected = selected.data(),
                              .selected_count = selected_count.data()});
    ASSERT_EQ(selected_count.read().front(), 5);
    const std::vector<std::int64_t> all = selected.read();
    ASSERT_EQ(std::set<std::int64_t>(all.begin(), all.begin() + 5).size(), 5U);
    for (int k = 0; k < 5; ++k) ++drawn[all[k]];
  }
  EXPECT_EQ(drawn.size(), 20U);
  for (const auto& [row, times] : drawn)
    EXPECT_NEAR(times, kDraws / 4, 5 * std::sqrt(kDraws * 0.1875));
}

TEST_F(SmallOps, MoreLandmarksThanRowsTakesAllRows) {
  const auto rows = count(3), iteration = count(0);
  DeviceArray<std::int64_t> selected(*backend_, 8), selected_count(*backend_, 1);
  backend_->draw_landmarks({.rows = {rows.data(), 3},
                            .landmarks = 8,
                            .iteration = iteration.data(),
                            .selected = selected.data(),
                            .selected_count = selected_count.data()});
  EXPECT_EQ(selected_count.read().front(), 3);
  std::vector<std::int64_t> three(3);
  selected.read(std::span<std::int64_t>(three));
  EXPECT_EQ(three, (std::vector<std::int64_t>{0, 1, 2}));
}

// Central differences of the loss an op reports, against the delta it writes.
template <class Evaluate>
void expect_delta_matches_differences(std::vector<float> outputs, const std::vector<float>& delta,
                                      const Evaluate& evaluate) {
  constexpr float kStep = 1e-2F;
  for (std::size_t k = 0; k < outputs.size(); ++k) {
    const float at = outputs[k];
    outputs[k] = at + kStep;
    const double above = evaluate(outputs), up = outputs[k];
    outputs[k] = at - kStep;
    const double slope = (above - evaluate(outputs)) / (up - outputs[k]);
    outputs[k] = at;
    EXPECT_NEAR(delta[k], slope, 1e-4);
  }
}

TEST_F(SmallOps, CategoricalLossAndGradient) {
  const auto rows = count(2);
  const auto actions = upload<float>({2, 0}), weights = upload<float>({1.5F, -0.5F});
  DeviceArray<float> delta(*backend_, 6);
  DeviceArray<double> loss(*backend_, 1);
  const auto evaluate = [&](const std::vector<float>& values) {
    const auto logits = upload(values);
    backend_->categorical_loss({.rows = {rows.data(), 2},
                                .actions_count = 3,
                                .logits = logits.data(),
                                .actions = actions.data(),
                                .weights = weights.data(),
                                .delta = delta.data(),
                                .loss = loss.data()});
    return loss.read().front();
  };
  const std::vector<float> logits{0.1F, -0.4F, 0.3F, 1000.0F, 999.0F, -1000.0F};  // no overflow
  const double first = 0.3 - std::log(std::exp(0.1) + std::exp(-0.4) + std::exp(0.3));
  const double second = -std::log(1.0 + std::exp(-1.0));
  EXPECT_NEAR(evaluate(logits), -(1.5 * first - 0.5 * second) / 2.0, 1e-6);
  const std::vector<float> gradient = delta.read();
  expect_delta_matches_differences(logits, gradient, evaluate);
}

TEST_F(SmallOps, GaussianLossAndGradient) {
  const auto rows = count(2);
  const auto actions = upload<float>({0.5F, -1, 2, 0}), weights = upload<float>({1, -2});
  DeviceArray<float> delta(*backend_, 4);
  DeviceArray<double> loss(*backend_, 1);
  const auto evaluate = [&](const std::vector<float>& values) {
    const auto mean = upload(values);
    backend_->gaussian_loss({.rows = {rows.data(), 2},
                             .dimensions = 2,
                             .std = 0.5,
                             .mean = mean.data(),
                             .actions = actions.data(),
                             .weights = weights.data(),
                             .delta = delta.data(),
                             .loss = loss.data()});
    return loss.read().front();
  };
  const std::vector<float> mean{0, 0, 1, 1};
  const double constant = 2.0 * (std::log(0.5) + 0.5 * std::log(2.0 * std::numbers::pi));
  const double first = -(0.25 + 1.0) / 0.5 - constant;
  const double second = -(1.0 + 1.0) / 0.5 - constant;
  EXPECT_NEAR(evaluate(mean), -(first - 2.0 * second) / 2.0, 1e-6);
  const std::vector<float> gradient = delta.read();
  expect_delta_matches_differences(mean, gradient, evaluate);
}

TEST_F(SmallOps, AdamStepsByTheRateAndClipsTheGroup) {
  const auto gradient_a = upload<float>({3.0F}), gradient_b = upload<float>({4.0F});
  auto a = upload<float>({1.0F}), b = upload<float>({1.0F});
  DeviceArray<float> moments(*backend_, 4);
  DeviceArray<double> norms(*backend_, 2);
  auto step = count(0);
  const ParameterSlice slices[] = {
      {a.data(), gradient_a.data(), moments.data(), moments.data() + 1, 1, 0.1, norms.data()},
      {b.data(), gradient_b.data(), moments.data() + 2, moments.data() + 3, 1, 0.01,
       norms.data() + 1}};
  backend_->clip_adam({.slices = slices, .slice_count = 2, .clip = 0.5, .step = step.data()});
  // The first step of Adam is the rate itself, whatever the gradient.
  EXPECT_NEAR(a.read().front(), 1.0 - 0.1, 1e-6);
  EXPECT_NEAR(b.read().front(), 1.0 - 0.01, 1e-6);
  EXPECT_NEAR(moments.read()[0], 0.1 * 3.0 * 0.1, 1e-6);  // clipped from norm 5 to 0.5
  EXPECT_NEAR(moments.read()[3], 0.001 * 0.4 * 0.4, 1e-9);
  EXPECT_NEAR(norms.read()[0], 3.0, 1e-9);
  EXPECT_NEAR(norms.read()[1], 4.0, 1e-9);
  EXPECT_EQ(step.read().front(), 1);
}

TEST_F(SmallOps, AdamWithoutClipKeepsLargeGradients) {
  const auto gradient = upload<float>({30.0F, -40.0F});
  DeviceArray<float> value(*backend_, 2), first(*backend_, 2), second(*backend_, 2);
  DeviceArray<double> norm(*backend_, 1);
  auto step = count(0);
  const ParameterSlice slice{value.data(), gradient.data(), first.data(), second.data(), 2,
                             1e-3,         norm.data()};
  backend_->clip_adam({.slices = &slice, .slice_count = 1, .clip = 0.0, .step = step.data()});
  EXPECT_NEAR(first.read()[0], 3.0, 1e-5);
  EXPECT_NEAR(norm.read().front(), 50.0, 1e-5);
}

TEST_F(SmallOps, ActivationStatistics) {
  const auto rows = count(2);
  const auto output = upload<float>({0.5F, -1.0F, 0.0F, 0.995F});
  DeviceArray<ActivationSummary> summary(*backend_, 1);
  backend_->activation_statistics(
      {.rows = {rows.data(), 2}, .out = 2, .output = output.data(), .summary = summary.data()});
  EXPECT_NEAR(summary.read().front().mean_abs, 2.495 / 4.0, 1e-6);
  EXPECT_EQ(summary.read().front().saturated, 0.5);
}

TEST_F(SmallOps, ArraysRefuseMoreThanTheyHold) {
  DeviceArray<float> array(*backend_, 2);
  EXPECT_THROW(array.write(std::vector<float>(3)), Error);
}

}  // namespace
}  // namespace lpdm
