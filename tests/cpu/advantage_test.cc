// Returns, advantages and bootstraps against cases worked out by hand.
#include <gtest/gtest.h>

#include <cmath>

#include "lpdm/backend.h"
#include "test_backend.h"

namespace lpdm {
namespace {

class Advantage : public ::testing::Test {
 protected:
  template <class T>
  DeviceArray<T> upload(const std::vector<T>& values) {
    DeviceArray<T> array(*backend_, static_cast<std::int64_t>(values.size()));
    array.write(values);
    return array;
  }

  ThreadPool pool_{1};
  std::unique_ptr<Backend> backend_ = make_test_backend(pool_);
};

// Two environments, three steps. The first is truncated after its second step, the second is
// terminated after its first.
class TwoEnvironments : public Advantage {
 protected:
  struct Result {
    std::vector<float> advantages, returns;
  };

  Result run(double lambda) {
    const auto rewards = upload<float>({1, 2, 3, 4, 5, 6});
    const auto terminated = upload<std::uint8_t>({0, 1, 0, 0, 0, 0});
    const auto truncated = upload<std::uint8_t>({0, 0, 1, 0, 0, 0});
    // Rows, then where the next rollout starts (70, 80), then the two final observations: of the
    // terminated episode, whose value must not count, and of the truncated one.
    const auto values = upload<float>({10, 20, 30, 40, 50, 60, 70, 80, 1000, 90});
    DeviceArray<float> advantages(*backend_, 6), returns(*backend_, 6);
    backend_->generalized_advantage({.horizon = 3,
                                     .count = 2,
                                     .rewards = rewards.data(),
                                     .terminated = terminated.data(),
                                     .truncated = truncated.data(),
                                     .values = values.data(),
                                     .discount = 0.5,
                                     .lambda = lambda,
                                     .advantages = advantages.data(),
                                     .returns = returns.data()});
    return {advantages.read(), returns.read()};
  }
};

TEST_F(TwoEnvironments, OneStepTemporalDifference) {
  const Result result = run(0.0);
  EXPECT_EQ(result.advantages, (std::vector<float>{1 + 15 - 10, 2 - 20, 3 + 45 - 30, 4 + 30 - 40,
                                                   5 + 35 - 50, 6 + 40 - 60}));
  EXPECT_EQ(result.returns, (std::vector<float>{16, 2, 48, 34, 40, 46}));
}

TEST_F(TwoEnvironments, ReturnMinusValue) {
  const Result result = run(1.0);
  // 3 + ½·90 = 48, 1 + ½·48 = 25; 2; 5 + ½·70 = 40; 6 + ½·80 = 46, 4 + ½·46 = 27
  EXPECT_EQ(result.returns, (std::vector<float>{25, 2, 48, 27, 40, 46}));
  EXPECT_EQ(result.advantages, (std::vector<float>{15, -18, 18, -13, -10, -14}));
}

TEST_F(TwoEnvironments, GeneralizedAdvantage) {
  const Result result = run(0.5);
  // δ as above; A = δ + ¼ A(next) within an episode
  EXPECT_EQ(result.advantages, (std::vector<float>{6 + 4.5F, -18, 18, -6 - 3.5F, -10, -14}));
}

TEST_F(Advantage, ATruncatedEpisodesReturnGoesOnWithItsFinalValue) {
  const auto rows = upload<std::int64_t>({5}), episodes = upload<std::int64_t>({2});
  const auto ends = upload<std::int64_t>({3, 5});
  const auto rewards = upload<float>({1, 2, 4, 10, 20});
  const auto values = upload<float>({0, 0, 0, 0, 0, 100, 200});
  const auto bootstrap = upload<std::uint8_t>({0, 1});
  DeviceArray<float> returns(*backend_, 5);
  DiscountedReturns op{.rows = {rows.data(), 5},
                       .rewards = rewards.data(),
                       .episode_ends = ends.data(),
                       .episode_count = episodes.data(),
                       .discount = 0.5,
                       .normalize = false,
                       .values = values.data(),
                       .bootstrap = bootstrap.data(),
                       .returns = returns.data()};
  backend_->discounted_returns(op);
  EXPECT_EQ(returns.read(), (std::vector<float>{3, 4, 4, 70, 120}));
  op.values = nullptr;  // no value head
  backend_->discounted_returns(op);
  EXPECT_EQ(returns.read(), (std::vector<float>{3, 4, 4, 20, 20}));
}

TEST_F(Advantage, AreReturnsMinusValuesAndStandardisedIfAsked) {
  const auto rows = upload<std::int64_t>({4});
  const auto returns = upload<float>({5, 1, 4, 2});
  const auto values = upload<float>({1, 1, 2, 2});
  DeviceArray<float> advantages(*backend_, 4);
  Advantages op{.rows = {rows.data(), 4},
                .returns = returns.data(),
                .values = values.data(),
                .normalize = false,
                .advantages = advantages.data()};
  backend_->advantages(op);
  EXPECT_EQ(advantages.read(), (std::vector<float>{4, 0, 2, 0}));
  op.normalize = true;  // mean 1.5, population variance 2.75
  backend_->advantages(op);
  EXPECT_NEAR(advantages.read()[0], 2.5 / std::sqrt(2.75), 1e-6);
  EXPECT_NEAR(advantages.read()[1], -1.5 / std::sqrt(2.75), 1e-6);
}

TEST_F(Advantage, GatheredRowsAreThoseAskedFor) {
  const auto rows = upload<std::int64_t>({3});
  const auto source = upload<float>({0, 1, 10, 11, 20, 21, 30, 31});
  const auto index = upload<std::int64_t>({3, 0, 3});
  DeviceArray<float> taken(*backend_, 6);
  backend_->gather_rows({.rows = {rows.data(), 3},
                         .width = 2,
                         .source = source.data(),
                         .index = index.data(),
                         .destination = taken.data()});
  EXPECT_EQ(taken.read(), (std::vector<float>{30, 31, 0, 1, 30, 31}));
}

}  // namespace
}  // namespace lpdm
