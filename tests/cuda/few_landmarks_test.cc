// Few landmarks, which the GPU has kernels of its own for, against the float64 reference: sizes
// around their blocks, values that are neighbours among floats, room beyond the last row.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "cpu/local_loss_case.h"
#include "lpdm/backend.h"
#include "lpdm/error.h"
#include "test_backend.h"

namespace lpdm {
namespace {

void guide(Case& c) {
  c.options.guided = true;
  c.values = uniform_values(c.n, 3);
}

TEST(FewLandmarks, MatchTheReferenceOnAwkwardShapes) {
  std::int64_t number = 0;
  for (const std::int64_t n : {1, 2, 3, 127, 129}) {
    for (const std::int64_t count : {1, 2, 16, 63, 64}) {
      if (count > n) continue;
      for (const std::int64_t out : {1, 3, 17, 513}) {
        Case c = random_case(n, 1 + number % 17, out);
        choose_landmarks(c, count);
        if (number++ % 2 == 1) guide(c);
        expect_matches_reference(
            c, std::to_string(count) + " of " + std::to_string(n) + "x" + std::to_string(out));
      }
    }
  }
}

// So many rows that blocks are large, each of them goes through several tiles, and more than one of
// them adds to the landmarks.
constexpr std::int64_t kManyRows = 1100;

TEST(FewLandmarks, MatchTheReferenceOverManyBlocks) {
  for (const std::int64_t count : {3, 20, 50}) {
    Case c = random_case(kManyRows, 17, 130);
    choose_landmarks(c, count);
    c.options.max_gradient = MaxGradient::kConstant;  // nothing large to hide the rest behind
    expect_matches_reference(c, std::to_string(count) + " landmarks");
  }
}

TEST(FewLandmarks, MatchTheReferenceInLargeBlocksWithEveryOption) {
  std::int64_t number = 0;
  for (const Metric metric : {Metric::kL1, Metric::kL2}) {
    for (const Activation activation : {Activation::kTanh, Activation::kRelu}) {
      for (const std::int64_t out : {5, 16}) {
        Case c = random_case(kManyRows, 3, out);
        const std::int64_t count = number % 2 == 0 ? 16 : 64;
        choose_landmarks(c, count);
        if (number++ % 3 == 0) guide(c);
        c.options.metric = metric;
        c.through = activation;
        for (float& y : c.y) {  // many ties, at −1 and elsewhere
          y = activation == Activation::kRelu ? std::max(y, 0.0F) : std::max(1.2F * y, -1.0F);
        }
        expect_matches_reference(c, std::to_string(count) + " landmarks, metric " +
                                        std::to_string(static_cast<int>(metric)) + ", activation " +
                                        std::to_string(static_cast<int>(activation)));
      }
    }
  }
}

TEST(FewLandmarks, TreatEqualRowsAsWithoutDirection) {
  for (const bool guided : {false, true}) {
    Case c = random_case(129, 4, 20);
    choose_landmarks(c, 64);
    if (guided) guide(c);
    for (std::int64_t i = 0; i < c.n; i += 3) {  // every third row is the same one
      std::copy_n(c.y.begin() + 2 * c.out, c.out, c.y.begin() + i * c.out);
    }
    expect_matches_reference(c, "duplicates");
    std::ranges::fill(c.y, -0.25F);
    expect_matches_reference(c, "all equal");
    EXPECT_EQ(run(c).grad_y, std::vector<float>(c.y.size(), 0.0F));
  }
}

// Zero has no neighbours that matter: those beside it are smallest normal numbers.
float neighbour(float value, float sign) {
  return value == 0.0F ? sign * std::numeric_limits<float>::min()
                       : std::nextafter(value, sign * std::numeric_limits<float>::infinity());
}

// A value's neighbours among floats lie on one side of it and on the other, whatever it is: −2ᵏ
// takes another path than all others.
void expect_exact_directions(const std::vector<float>& around, const std::string& name) {
  Case c = random_case(60, 5, 7);
  choose_landmarks(c, 21);
  const std::vector<float> choice = uniform_values(c.n * c.out, 9);
  for (std::size_t k = 0; k < c.y.size(); ++k) {
    const auto pick = static_cast<std::int64_t>((choice[k] + 1.0F) * 1000.0F);
    const float value = around[static_cast<std::size_t>(pick / 3) % around.size()];
    c.y[k] = pick % 3 == 0 ? value : neighbour(value, pick % 3 == 1 ? 1.0F : -1.0F);
  }
  for (const Metric metric : {Metric::kL1, Metric::kL2}) {
    c.options.metric = metric;
    c.options.max_gradient = MaxGradient::kConstant;
    expect_matches_reference(c, name + ", metric " + std::to_string(static_cast<int>(metric)));
  }
}

TEST(FewLandmarks, TellNeighbouringFloatsApart) {
  expect_exact_directions({1.0F, 0.5F, 0.25F}, "powers of two");
  expect_exact_directions({0.9999999F, -0.9999997F, 0.7F, -0.3F, 0.0F}, "others");
  expect_exact_directions({-1.0F}, "minus one");
  expect_exact_directions({-1.0F, 1.0F, -0.5F, 0.0F}, "saturated");
  expect_exact_directions({3.0e8F, -4.1e8F}, "large");
}

TEST(FewLandmarks, AreTheSameInEveryArithmetic) {
  Case c = random_case(150, 5, 33);
  choose_landmarks(c, 40);
  const Outcome plain = run(c);
  for (const Arithmetic arithmetic : {Arithmetic::kFixed, Arithmetic::kHalf2}) {
    c.backend.arithmetic = arithmetic;
    const Outcome other = run(c);
    EXPECT_EQ(plain.statistics.loss, other.statistics.loss);
    EXPECT_EQ(plain.grad_y, other.grad_y);
  }
}

// The shim draws the order of threads and blocks anew each time.
TEST(FewLandmarks, GiveTheSameBitsInWhateverOrderThreadsRun) {
  Case c = random_case(300, 5, 40);
  choose_landmarks(c, 60);
  const Outcome first = run(c);
  for (int repeat = 0; repeat < 3; ++repeat) {
    const Outcome again = run(c);
    EXPECT_EQ(first.statistics.loss, again.statistics.loss);
    EXPECT_EQ(first.grad_y, again.grad_y);
  }
}

// Buffers with more room than rows and landmarks, as updates of changing size have.
TEST(FewLandmarks, LeaveNothingOfTheRoomBeyondTheLastRow) {
  for (const std::int64_t out : {6, 136}) {
    Case c = random_case(70, 5, out);
    choose_landmarks(c, 9);
    c.through = Activation::kTanh;
    const Outcome exact = run(c);
    ThreadPool pool(1);
    const auto backend = make_test_backend(pool);
    constexpr std::int64_t kRoom = 130;
    const std::int64_t capacity = c.n + kRoom;
    const auto upload = [&]<class T>(std::vector<T> values, std::int64_t size, T noise) {
      values.resize(static_cast<std::size_t>(size), noise);
      DeviceArray<T> array(*backend, size);
      array.write(values);
      return array;
    };
    const auto count = upload(std::vector<std::int64_t>{c.n}, 1, std::int64_t{0});
    const auto x = upload(c.x, capacity * c.dim, 7.0F);
    const auto y = upload(c.y, capacity * out, -9.0F);
    const auto landmarks = upload(c.landmarks, 60, std::int64_t{0});
    const auto landmark_count = upload(std::vector<std::int64_t>{9}, 1, std::int64_t{0});
    auto delta = upload(std::vector<float>{}, capacity * out, 5.0F);
    DeviceArray<TargetScales> scales(*backend, 1);
    DeviceArray<LocalLossStatistics> statistics(*backend, 1);
    const PairwiseTarget target{.rows = {count.data(), capacity},
                                .dim = c.dim,
                                .input = x.data(),
                                .landmarks = landmarks.data(),
                                .landmark_count = landmark_count.data(),
                                .landmark_capacity = 60};
    backend->target_statistics({.target = target, .scales = scales.data()});
    const LocalLossLayer layer{.out = out,
                               .activation = Activation::kTanh,
                               .output = y.data(),
                               .delta = delta.data(),
                               .statistics = statistics.data()};
    backend->local_loss(
        {.target = target, .scales = scales.data(), .layers = &layer, .layer_count = 1});
    EXPECT_NEAR(statistics.read().front().loss, exact.statistics.loss, 1e-6);
    std::vector<float> wanted = exact.grad_y;
    wanted.resize(static_cast<std::size_t>(capacity * out), 0.0F);
    const std::vector<float> found = delta.read();
    for (std::size_t k = 0; k < wanted.size(); ++k) ASSERT_NEAR(found[k], wanted[k], 1e-7) << k;
  }
}

TEST(FewLandmarks, AreRefusedWithoutTheStatisticsOfTheirTarget) {
  ThreadPool pool(1);
  const auto backend = make_test_backend(pool);
  DeviceArray<std::int64_t> counts(*backend, 2), landmarks(*backend, 1);
  counts.write(std::vector<std::int64_t>{4, 1});
  DeviceArray<float> x(*backend, 8), y(*backend, 8);
  DeviceArray<TargetScales> scales(*backend, 2);
  DeviceArray<LocalLossStatistics> statistics(*backend, 1);
  const PairwiseTarget target{.rows = {counts.data(), 4},
                              .dim = 2,
                              .input = x.data(),
                              .landmarks = landmarks.data(),
                              .landmark_count = counts.data() + 1,
                              .landmark_capacity = 1};
  const LocalLossLayer layer{.out = 2, .output = y.data(), .statistics = statistics.data()};
  const auto lose = [&](const TargetScales* found) {
    backend->local_loss({.target = target, .scales = found, .layers = &layer, .layer_count = 1});
  };
  backend->target_statistics({.target = target, .scales = scales.data()});
  EXPECT_NO_THROW(lose(scales.data()));
  EXPECT_THROW(lose(scales.data() + 1), Error);
}

}  // namespace
}  // namespace lpdm
