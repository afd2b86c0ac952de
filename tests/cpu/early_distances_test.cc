// Distances that are formed while rows still come are those that are formed afterwards.
#include "cpu/pairs/early_distances.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>
#include <vector>

#include "cpu/local_loss_case.h"
#include "test_backend.h"

namespace lpdm {
namespace {

Case two_layers(std::int64_t n, Arithmetic arithmetic) {
  Case c = random_case(n, 4, 33);
  add_layer(c, 70);
  c.through = Activation::kTanh;
  c.backend.arithmetic = arithmetic;
  return c;
}

TEST(EarlyDistances, ChangeNothingHoweverFarTheyCome) {
  for (const Arithmetic arithmetic : {Arithmetic::kFp32, Arithmetic::kFixed}) {
    for (const std::int64_t n : {1, 63, 64, 65, 200, 450}) {
      Case c = two_layers(n, arithmetic);
      const std::vector<Outcome> afterwards = run_layers(c);
      for (const auto& followed :
           {each_row(n), std::vector<std::int64_t>{n}, std::vector<std::int64_t>{n / 2 + 1},
            std::vector<std::int64_t>{n / 3 + 1, n / 2 + 1, n}}) {
        c.followed = followed;
        for (const int threads : {1, 2, 3}) expect_same(run_layers(c, threads), afterwards);
      }
    }
  }
}

TEST(EarlyDistances, FollowEveryKindOfPairsOrLeaveThemAlone) {
  const auto check = [](Case c) {
    const std::vector<Outcome> afterwards = run_layers(c);
    c.followed = each_row(c.n);
    expect_same(run_layers(c, 2), afterwards);
  };
  const Case plain = two_layers(300, Arithmetic::kFp32);
  for (const SparsePairs sparse : {SparsePairs::kClosest, SparsePairs::kFurthest}) {
    Case c = plain;
    c.options.pairs.sparse = sparse;
    check(c);
  }
  Case guided = plain;
  guided.values = uniform_values(300, 5);
  check(guided);
  Case euclidean = plain;
  euclidean.options.metric = Metric::kL2;
  check(euclidean);
  Case propagated = plain;
  propagated.options.target = TargetRule::kErrorPropagation;
  check(propagated);
  Case landmarks = plain;
  landmarks.landmarks = {3, 77, 120, 250};
  check(landmarks);
  Case episodes = plain;
  episodes.episode_ends = {100, 164, 300};
  check(episodes);
}

// Rows of two layers on a backend of its own, and a follower that has been told of them.
class Followed : public ::testing::Test {
 protected:
  static constexpr std::int64_t kRows = 200;
  static constexpr std::int64_t kOut = 40;

  Followed() {
    for (int l = 0; l < 2; ++l) {
      outputs_.emplace_back(*backend_, kRows * kOut);
      outputs_.back().write(uniform_values(kRows * kOut, static_cast<std::uint32_t>(l + 1)));
      deltas_.emplace_back(*backend_, kRows * kOut);
    }
    count_.write(std::vector<std::int64_t>{kRows});
    inputs_.write(uniform_values(kRows * 3, 9));
    layers_ = {layer(0), layer(1)};
    op_ = {.target = {.rows = {.count = count_.data(), .capacity = kRows},
                      .dim = 3,
                      .input = inputs_.data()},
           .scales = scales_.data(),
           .layers = layers_.data(),
           .layer_count = 2};
    backend_->target_statistics({.target = op_.target, .scales = scales_.data()});
  }

  LocalLossLayer layer(std::size_t l) {
    return {.out = kOut,
            .output = outputs_[l].data(),
            .delta = deltas_[l].data(),
            .statistics = statistics_.data() + l};
  }

  ThreadPool pool_{2};
  std::unique_ptr<Backend> backend_ = make_cpu_backend(pool_);
  std::vector<DeviceArray<float>> outputs_, deltas_;
  DeviceArray<std::int64_t> count_{*backend_, 1};
  DeviceArray<float> inputs_{*backend_, kRows * 3};
  DeviceArray<TargetScales> scales_{*backend_, 1};
  DeviceArray<LocalLossStatistics> statistics_{*backend_, 2};
  std::vector<LocalLossLayer> layers_;
  LocalLoss op_;
  std::unique_ptr<RowFollower> follower_ = backend_->make_row_follower(nullptr);
};

TEST_F(Followed, AnotherLossIsNotTheFollowers) {
  const auto refuses = [&](const LocalLoss& other) {
    EXPECT_TRUE(follower_->begin(op_, kRows));
    follower_->advance(kRows);
    return !follower_->finish(other);
  };
  EXPECT_FALSE(refuses(op_));
  LocalLoss other = op_;
  other.layer_count = 1;
  EXPECT_TRUE(refuses(other));
  other = op_;
  other.target.metric = Metric::kL2;
  EXPECT_TRUE(refuses(other));
  std::vector<LocalLossLayer> swapped = {layers_[1], layers_[0]};
  other = op_;
  other.layers = swapped.data();
  EXPECT_TRUE(refuses(other));
  count_.write(std::vector<std::int64_t>{kRows / 2});  // fewer rows than it was told of
  EXPECT_TRUE(refuses(op_));
}

TEST_F(Followed, DistancesAreFormedBeforeTheLossIsAskedFor) {
  ASSERT_TRUE(follower_->begin(op_, kRows));
  const auto& follower = dynamic_cast<const cpu::EarlyDistances&>(*follower_);
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (follower.formed() < kRows / 64 && std::chrono::steady_clock::now() < give_up) {
    follower_->advance(kRows);
    std::this_thread::yield();
  }
  EXPECT_EQ(follower.formed(), kRows / 64);
}

TEST_F(Followed, RoomForMoreRowsThanCanBeKeptIsNoHindrance) {
  ASSERT_TRUE(follower_->begin(op_, 100000));
  follower_->advance(kRows);
  EXPECT_TRUE(follower_->finish(op_));
}

TEST_F(Followed, RowsThatFillTheRoomAreAllFollowed) {
  constexpr std::int64_t kFull = 192;
  count_.write(std::vector<std::int64_t>{kFull});
  ASSERT_TRUE(follower_->begin(op_, kFull));
  follower_->advance(kFull);
  ASSERT_TRUE(follower_->finish(op_));
  const std::vector<float> followed = deltas_[0].read();
  backend_->local_loss(op_);
  EXPECT_EQ(followed, deltas_[0].read());
}

TEST_F(Followed, WhatWasFollowedServesOnce) {
  ASSERT_TRUE(follower_->begin(op_, kRows));
  follower_->advance(kRows);
  EXPECT_TRUE(follower_->finish(op_));
  EXPECT_FALSE(follower_->finish(op_));
}

TEST_F(Followed, RowsThatComeAgainAreFollowedAnew) {
  ASSERT_TRUE(follower_->begin(op_, kRows));
  for (std::int64_t rows = 0; rows <= kRows; ++rows) follower_->advance(rows);
  follower_->pause();
  for (auto& output : outputs_) output.write(uniform_values(kRows * kOut, 77));
  ASSERT_TRUE(follower_->begin(op_, kRows));
  follower_->advance(kRows);
  ASSERT_TRUE(follower_->finish(op_));
  const std::vector<float> followed = deltas_[1].read();
  backend_->local_loss(op_);
  EXPECT_EQ(followed, deltas_[1].read());
}

// A rollout may end by an exception.
TEST_F(Followed, CanBeLeftInTheMiddle) {
  ASSERT_TRUE(follower_->begin(op_, kRows));
  follower_->advance(kRows);
  follower_.reset();
  pool_.parallel_for(10, [](std::int64_t, int) {});
}

}  // namespace
}  // namespace lpdm
