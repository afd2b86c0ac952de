// Distances to landmarks that are formed while rows still come are those that are formed
// afterwards.
#include "cpu/landmarks/early_landmarks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <set>
#include <thread>
#include <vector>

#include "cpu/landmarks/reservoir.h"
#include "cpu/local_loss_case.h"
#include "test_backend.h"

namespace lpdm {
namespace {

Case two_layers(std::int64_t n, std::int64_t landmarks, Arithmetic arithmetic) {
  Case c = random_case(n, 5, 33);
  add_layer(c, 70);
  c.through = Activation::kTanh;
  c.backend.arithmetic = arithmetic;
  c.drawn_landmarks = landmarks;
  return c;
}

// Rows as they are followed: one by one, all at once, in part, or in a few steps.
std::vector<std::vector<std::int64_t>> ways_to_follow(std::int64_t n) {
  return {each_row(n), {n}, {n / 2 + 1}, {n / 3 + 1, n / 2 + 1, n}, {n / 4, n / 2, n / 2, n, n, n}};
}

TEST(EarlyLandmarks, ChangeNothingHoweverFarTheyCome) {
  for (const Arithmetic arithmetic : {Arithmetic::kFp32, Arithmetic::kFixed}) {
    for (const std::int64_t n : {63, 64, 129, 450}) {
      for (const std::int64_t landmarks : {1, 20, 64, 100}) {
        Case c = two_layers(n, landmarks, arithmetic);
        const std::vector<Outcome> afterwards = run_layers(c);
        for (const auto& followed : ways_to_follow(n)) {
          c.followed = followed;
          for (const int threads : {2, 3}) expect_same(run_layers(c, threads), afterwards);
        }
      }
    }
  }
}

TEST(EarlyLandmarks, FollowEveryKindOfLossOrLeaveItAlone) {
  const auto check = [](Case c) {
    const std::vector<Outcome> afterwards = run_layers(c);
    c.followed = each_row(c.n);
    expect_same(run_layers(c, 2), afterwards);
  };
  const Case plain = two_layers(300, 32, Arithmetic::kFp32);
  Case guided = plain;
  guided.values = uniform_values(300, 5);
  check(guided);
  guided.options.guide_base = GuideBase::kRaw;
  check(guided);
  Case euclidean = plain;
  euclidean.options.metric = Metric::kL2;
  check(euclidean);
  Case propagated = plain;
  propagated.options.target = TargetRule::kErrorPropagation;
  check(propagated);
  Case constant = plain;  // with more maxima than are listed, so that distances are formed again
  for (std::size_t k = 0; k < constant.y.size(); ++k)
    constant.y[k] = k / 33 % 2 == 0 ? 0.5F : -0.5F;
  check(constant);
}

// Two layers whose rows, and the landmarks among them, a follower has been told of.
class FollowedLandmarks : public ::testing::Test {
 protected:
  static constexpr std::int64_t kRows = 300;
  static constexpr std::int64_t kOut = 40;
  static constexpr std::int64_t kLandmarks = 24;

  FollowedLandmarks() {
    for (int l = 0; l < 2; ++l) {
      outputs_.emplace_back(*backend_, kRows * kOut);
      outputs_.back().write(uniform_values(kRows * kOut, static_cast<std::uint32_t>(l + 1)));
      deltas_.emplace_back(*backend_, kRows * kOut);
    }
    inputs_.write(uniform_values(kRows * 3, 9));
    layers_ = {layer(0), layer(1)};
    op_ = {.target = {.rows = {.count = count_.data(), .capacity = kRows},
                      .dim = 3,
                      .input = inputs_.data(),
                      .landmarks = landmarks_.data(),
                      .landmark_count = landmark_count_.data(),
                      .landmark_capacity = kLandmarks},
           .scales = scales_.data(),
           .layers = layers_.data(),
           .layer_count = 2};
    draw(kRows);
  }

  LocalLossLayer layer(std::size_t l) {
    return {.out = kOut,
            .output = outputs_[l].data(),
            .delta = deltas_[l].data(),
            .statistics = statistics_.data() + l};
  }

  DrawLandmarks draw_of() {
    return {.rows = op_.target.rows,
            .landmarks = kLandmarks,
            .seed = 3,
            .iteration = iteration_.data(),
            .selected = landmarks_.data(),
            .selected_count = landmark_count_.data()};
  }
  void draw(std::int64_t rows) {
    count_.write(std::vector<std::int64_t>{rows});
    backend_->draw_landmarks(draw_of());
  }
  void follow(std::int64_t rows) {
    ASSERT_TRUE(follower_->begin(op_, kRows));
    follower_->advance(rows);
    follower_->advance(rows);
  }
  bool finish(const LocalLoss& op) {
    const TargetStatistics of_target{.target = op.target, .scales = scales_.data()};
    const bool statistics = follower_->finish(of_target);
    return follower_->finish(op) && statistics;
  }
  // That the follower works the loss out as the backend does by itself.
  void expect_finished_well() {
    ASSERT_TRUE(finish(op_));
    const std::vector<float> followed = deltas_[1].read();
    backend_->target_statistics({.target = op_.target, .scales = scales_.data()});
    backend_->local_loss(op_);
    EXPECT_EQ(followed, deltas_[1].read());
  }

  ThreadPool pool_{2};
  std::unique_ptr<Backend> backend_ = make_cpu_backend(pool_);
  std::vector<DeviceArray<float>> outputs_, deltas_;
  DeviceArray<std::int64_t> count_{*backend_, 1}, iteration_{*backend_, 1};
  DeviceArray<std::int64_t> landmarks_{*backend_, kLandmarks}, landmark_count_{*backend_, 1};
  DeviceArray<float> inputs_{*backend_, kRows * 3};
  DeviceArray<TargetScales> scales_{*backend_, 1};
  DeviceArray<LocalLossStatistics> statistics_{*backend_, 2};
  std::vector<LocalLossLayer> layers_;
  LocalLoss op_;
  const DrawLandmarks to_come_ = draw_of();
  std::unique_ptr<RowFollower> follower_ = backend_->make_row_follower(&to_come_);
};

TEST_F(FollowedLandmarks, AnotherLossIsNotTheFollowers) {
  const auto refuses = [&](const LocalLoss& other) {
    follow(kRows);
    return !finish(other);
  };
  EXPECT_FALSE(refuses(op_));
  LocalLoss other = op_;
  other.layer_count = 1;
  EXPECT_TRUE(refuses(other));
  other = op_;
  other.target.metric = Metric::kL2;
  EXPECT_TRUE(refuses(other));
  other = op_;
  other.target.input = inputs_.data() + 3;
  EXPECT_TRUE(refuses(other));
  other = op_;
  other.target_rule = TargetRule::kErrorPropagation;
  EXPECT_TRUE(refuses(other));
  std::vector<std::int64_t> reversed = landmarks_.read();
  std::reverse(reversed.begin(), reversed.end());
  other = op_;
  other.target.landmarks = reversed.data();
  EXPECT_TRUE(refuses(other));
  draw(kRows / 2);  // fewer rows than it was told of
  EXPECT_TRUE(refuses(op_));
}

TEST_F(FollowedLandmarks, TheDrawIsThatOfTheIterationAtTheBeginning) {
  iteration_.write(std::vector<std::int64_t>{9});
  draw(kRows);
  follow(kRows);
  EXPECT_TRUE(finish(op_));
  follow(kRows);
  iteration_.write(std::vector<std::int64_t>{10});
  draw(kRows);
  EXPECT_FALSE(finish(op_));
}

TEST_F(FollowedLandmarks, DistancesAreFormedBeforeTheLossIsAskedFor) {
  ASSERT_TRUE(follower_->begin(op_, kRows));
  const auto& follower = dynamic_cast<const cpu::EarlyLandmarks&>(*follower_);
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (follower.formed() < kRows / 64 && std::chrono::steady_clock::now() < give_up) {
    follower_->advance(kRows);
    std::this_thread::yield();
  }
  EXPECT_EQ(follower.formed(), kRows / 64);
  expect_finished_well();
}

TEST_F(FollowedLandmarks, WhatWasFollowedServesOnce) {
  follow(kRows);
  EXPECT_TRUE(finish(op_));
  EXPECT_FALSE(finish(op_));
}

TEST_F(FollowedLandmarks, RowsThatComeAgainAreFollowedAnew) {
  follow(kRows);
  follower_->pause();
  for (auto& output : outputs_) output.write(uniform_values(kRows * kOut, 77));
  follow(kRows / 2);
  expect_finished_well();
}

TEST_F(FollowedLandmarks, RowsThatFillTheRoomAreAllFollowed) {
  constexpr std::int64_t kFull = 256;
  draw(kFull);
  ASSERT_TRUE(follower_->begin(op_, kFull));
  follower_->advance(kFull);
  expect_finished_well();
}

// A rollout may end by an exception.
TEST_F(FollowedLandmarks, CanBeLeftInTheMiddle) {
  follow(kRows);
  follower_.reset();
  pool_.parallel_for(10, [](std::int64_t, int) {});
}

TEST(Reservoir, IsTheSameHoweverItGrows) {
  cpu::Reservoir at_once(1, 2, 10), by_steps(1, 2, 10);
  at_once.grow(1000);
  for (std::int64_t rows = 0; rows <= 1000; rows += 37) by_steps.grow(rows);
  by_steps.grow(1000);
  by_steps.grow(500);
  for (int k = 0; k < 10; ++k) EXPECT_EQ(by_steps.places()[k], at_once.places()[k]);
  EXPECT_EQ(by_steps.count(), 10);
}

TEST(Reservoir, HoldsAllRowsWhileThereIsRoom) {
  cpu::Reservoir reservoir(1, 2, 10);
  reservoir.grow(7);
  EXPECT_EQ(reservoir.count(), 7);
  for (int k = 0; k < 7; ++k) EXPECT_EQ(reservoir.places()[k], k);
}

// Pairs of rows too are equally likely: 10 of 5 rows taken two at a time.
TEST(Reservoir, EveryPairIsEquallyLikely) {
  constexpr int kDraws = 20000;
  std::map<std::set<std::int64_t>, int> drawn;
  for (int iteration = 0; iteration < kDraws; ++iteration) {
    cpu::Reservoir reservoir(8, iteration, 2);
    reservoir.grow(5);
    ++drawn[{reservoir.places()[0], reservoir.places()[1]}];
  }
  ASSERT_EQ(drawn.size(), 10U);
  for (const auto& [pair, times] : drawn) {
    ASSERT_EQ(pair.size(), 2U);
    EXPECT_NEAR(times, kDraws / 10, 5 * std::sqrt(kDraws * 0.09));
  }
}

}  // namespace
}  // namespace lpdm
