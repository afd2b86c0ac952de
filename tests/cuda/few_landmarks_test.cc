// Few landmarks, which the GPU has kernels of its own for, against the float64 reference: sizes
// around their blocks, values that are neighbours among floats, room beyond the last row.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cpu/local_loss_case.h"
#include "lpdm/backend.h"
#include "lpdm/error.h"
#include "reference/closeness.h"
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
        if (number % 3 == 0) guide(c);
        if (number++ % 2 == 0) c.options.guide_base = GuideBase::kRaw;
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

// The gradient of the rows that are landmarks, or of those that are not.
std::vector<float> rows_of(const Case& c, const std::vector<float>& gradient, bool landmarks) {
  std::vector<float> rows;
  for (std::int64_t row = 0; row < c.n; ++row) {
    if ((std::ranges::find(c.landmarks, row) != c.landmarks.end()) != landmarks) continue;
    rows.insert(rows.end(), gradient.begin() + row * c.out, gradient.begin() + (row + 1) * c.out);
  }
  return rows;
}

// More rows than small blocks are for on a GPU of more than a hundred multiprocessors, too many for
// the reference. The shim plays a small GPU, on which a thousand rows are many.
TEST(FewLandmarks, AgreeWithTheCpuInLargeBatches) {
  if (test_backend_is_slow()) GTEST_SKIP() << "the shim has large blocks above";
  ThreadPool pool(2);
  const auto cpu = make_backend("cpu", pool);
  for (const auto& [rows, count] :
       {std::pair{50'000, 16}, std::pair{25'000, 32}, std::pair{13'000, 64}}) {
    Case c = random_case(rows, 17, 130);
    choose_landmarks(c, count);
    guide(c);
    c.options.max_gradient = MaxGradient::kConstant;  // nothing large to hide the rest behind
    const Outcome expected = run_layers_on(*cpu, c).front();
    const Outcome actual = run(c);
    EXPECT_NEAR(actual.statistics.loss, expected.statistics.loss, 1e-5 * expected.statistics.loss);
    // Landmarks have pairs with all rows, other rows with landmarks alone.
    for (const bool of_landmarks : {false, true}) {
      const std::vector<float> some = rows_of(c, actual.grad_y, of_landmarks);
      const std::vector<float> others = rows_of(c, expected.grad_y, of_landmarks);
      EXPECT_TRUE(
          reference::all_close(some, std::vector<double>(others.begin(), others.end()), 1e-4, 0.0))
          << count << " landmarks, " << (of_landmarks ? "their rows" : "other rows");
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

// The loss of a case's rows in buffers with more room than rows and landmarks, as updates of
// changing size have. x, y: of the case's rows and those after them, as many as there is room for.
class RoomyLoss {
 public:
  RoomyLoss(const Case& c, std::vector<float> x, std::vector<float> y)
      : case_(c),
        backend_(make_test_backend(pool_)),
        capacity_(static_cast<std::int64_t>(y.size()) / c.out),
        x_(upload(std::move(x))),
        y_(upload(std::move(y))),
        count_(*backend_, 1),
        landmarks_(*backend_, kLandmarkRoom),
        landmark_count_(
            upload(std::vector<std::int64_t>{static_cast<std::int64_t>(c.landmarks.size())})),
        delta_(*backend_, capacity_ * c.out),
        scales_(*backend_, 1),
        statistics_(*backend_, 1) {
    landmarks_.write(c.landmarks);
    delta_.write(std::vector<float>(static_cast<std::size_t>(capacity_ * c.out), 5.0F));
  }

  // Of the first n rows: delta of all that there is room for.
  std::vector<float> run(std::int64_t n) {
    count_.write(std::vector<std::int64_t>{n});
    const PairwiseTarget target{.rows = {count_.data(), capacity_},
                                .dim = case_.dim,
                                .input = x_.data(),
                                .landmarks = landmarks_.data(),
                                .landmark_count = landmark_count_.data(),
                                .landmark_capacity = kLandmarkRoom};
    backend_->target_statistics({.target = target, .scales = scales_.data()});
    const LocalLossLayer layer{.out = case_.out,
                               .activation = Activation::kTanh,
                               .output = y_.data(),
                               .delta = delta_.data(),
                               .statistics = statistics_.data()};
    backend_->local_loss(
        {.target = target, .scales = scales_.data(), .layers = &layer, .layer_count = 1});
    return delta_.read();
  }
  double loss() const { return statistics_.read().front().loss; }

 private:
  static constexpr std::int64_t kLandmarkRoom = 60;

  template <class T>
  DeviceArray<T> upload(const std::vector<T>& values) {
    DeviceArray<T> array(*backend_, static_cast<std::int64_t>(values.size()));
    array.write(values);
    return array;
  }

  Case case_;
  ThreadPool pool_{1};
  std::unique_ptr<Backend> backend_;
  std::int64_t capacity_;
  DeviceArray<float> x_, y_;
  DeviceArray<std::int64_t> count_, landmarks_, landmark_count_;
  DeviceArray<float> delta_;
  DeviceArray<TargetScales> scales_;
  DeviceArray<LocalLossStatistics> statistics_;
};

// rest: what follows the values.
std::vector<float> followed_by(std::vector<float> values, const std::vector<float>& rest) {
  values.insert(values.end(), rest.begin(), rest.end());
  return values;
}

void expect_delta(const std::vector<float>& found, std::vector<float> wanted) {
  wanted.resize(found.size(), 0.0F);
  for (std::size_t k = 0; k < found.size(); ++k) ASSERT_NEAR(found[k], wanted[k], 1e-7) << k;
}

TEST(FewLandmarks, LeaveNothingOfTheRoomBeyondTheLastRow) {
  constexpr std::size_t kRoom = 130;
  for (const std::int64_t out : {6, 136}) {
    Case c = random_case(70, 5, out);
    choose_landmarks(c, 9);
    c.through = Activation::kTanh;
    RoomyLoss loss(
        c, followed_by(c.x, std::vector<float>(kRoom * 5, 7.0F)),
        followed_by(c.y, std::vector<float>(kRoom * static_cast<std::size_t>(out), -9.0F)));
    const Outcome exact = run(c);
    expect_delta(loss.run(c.n), exact.grad_y);
    EXPECT_NEAR(loss.loss(), exact.statistics.loss, 1e-6);
  }
}

// Memory between the passes still holds what the longer update has left there; so many rows that
// pass 2 has larger blocks than pass 1.
TEST(FewLandmarks, AreThoseOfTheLatestUpdateAfterALongerOne) {
  constexpr std::int64_t kMore = 130;
  Case c = random_case(70, 5, 100);
  choose_landmarks(c, 40);
  c.through = Activation::kTanh;
  RoomyLoss loss(c, followed_by(c.x, uniform_values(kMore * 5, 11)),
                 followed_by(c.y, uniform_values(kMore * 100, 12)));
  for (int repeat = 0; repeat < 2; ++repeat) loss.run(c.n + kMore);
  expect_delta(loss.run(c.n), run(c).grad_y);
}

TEST(FewLandmarks, AreRefusedWithoutTheStatisticsOfTheirTarget) {
  ThreadPool pool(1);
  const auto backend = make_test_backend(pool);
  DeviceArray<std::int64_t> counts(*backend, 2), landmarks(*backend, 1);
  counts.write(std::vector<std::int64_t>{4, 1});
  DeviceArray<float> x(*backend, 8), others(*backend, 8), y(*backend, 8);
  DeviceArray<TargetScales> scales(*backend, 1);
  DeviceArray<LocalLossStatistics> statistics(*backend, 1);
  PairwiseTarget target{.rows = {counts.data(), 4},
                        .dim = 2,
                        .input = x.data(),
                        .landmarks = landmarks.data(),
                        .landmark_count = counts.data() + 1,
                        .landmark_capacity = 1};
  const LocalLossLayer layer{.out = 2, .output = y.data(), .statistics = statistics.data()};
  const auto lose = [&](const float* input) {
    target.input = input;
    backend->local_loss(
        {.target = target, .scales = scales.data(), .layers = &layer, .layer_count = 1});
  };
  backend->target_statistics({.target = target, .scales = scales.data()});
  EXPECT_NO_THROW(lose(x.data()));
  EXPECT_THROW(lose(others.data()), Error);
}

}  // namespace
}  // namespace lpdm
