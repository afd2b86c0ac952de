// Recorded ops and ops side by side give what the same ops give one after another.
#include <gtest/gtest.h>

#include "lpdm/backend.h"
#include "lpdm/error.h"
#include "test_backend.h"

namespace lpdm {
namespace {

// Values that each step replaces by their scaled advantages, so that every step counts.
class RecordingTest : public ::testing::Test {
 protected:
  static constexpr std::int64_t kRows = 1500;

  RecordingTest() : backend_(make_test_backend(pool_)), count_(*backend_, 1) {
    count_.write(std::vector<std::int64_t>{kRows});
  }

  DeviceArray<float> values() {
    std::vector<float> initial;
    for (int i = 0; i < kRows; ++i) initial.push_back(static_cast<float>((i * 37) % 101));
    DeviceArray<float> array(*backend_, kRows);
    array.write(initial);
    return array;
  }
  // to ← g of from: needs scratch memory and several kernels.
  void step(const DeviceArray<float>& from, DeviceArray<float>& to) {
    backend_->guided_shift(
        {.rows = {count_.data(), kRows}, .values = from.data(), .shift = to.data()});
    backend_->advantages(
        {.rows = {count_.data(), kRows}, .returns = to.data(), .advantages = to.data()});
  }

  ThreadPool pool_{1};
  std::unique_ptr<Backend> backend_;
  DeviceArray<std::int64_t> count_;
};

TEST_F(RecordingTest, RepeatsGiveTheSameAsDirectOps) {
  auto direct = values(), recorded = values(), other = values();
  const auto recording = backend_->make_recording();
  for (int repeat = 0; repeat < 5; ++repeat) {
    step(direct, direct);
    recording->enqueue(3, [&] { step(recorded, recorded); });
    recording->enqueue(4, [&] { step(other, other); });
    EXPECT_EQ(recorded.read(), direct.read()) << repeat;
    EXPECT_EQ(other.read(), direct.read()) << repeat;
  }
}

TEST_F(RecordingTest, TheNumberOfRowsMayChange) {
  auto recorded = values();
  const auto recording = backend_->make_recording();
  for (const std::int64_t rows : {kRows, kRows, std::int64_t{700}, std::int64_t{3}, kRows}) {
    count_.write(std::vector<std::int64_t>{rows});
    auto direct = values();
    recorded.write(direct.read());
    step(direct, direct);
    recording->enqueue(0, [&] { step(recorded, recorded); });
    EXPECT_EQ(recorded.read(), direct.read()) << rows;
  }
}

TEST_F(RecordingTest, ForgottenSequencesWorkOnNewMemory) {
  const auto recording = backend_->make_recording();
  auto memory = values();
  for (int round = 0; round < 3; ++round) {
    for (int repeat = 0; repeat < 3; ++repeat) {
      recording->enqueue(0, [&] { step(memory, memory); });
    }
    auto direct = values();
    for (int repeat = 0; repeat < 3; ++repeat) step(direct, direct);
    EXPECT_EQ(memory.read(), direct.read());
    recording->forget();
    memory = values();
  }
}

// Scratch memory that another op has made to grow in between.
TEST_F(RecordingTest, ScratchMemoryMayMove) {
  auto direct = values(), recorded = values();
  const auto recording = backend_->make_recording();
  for (int repeat = 0; repeat < 6; ++repeat) {
    const std::int64_t many = std::int64_t{20'000} << repeat;
    DeviceArray<float> rewards(*backend_, many), advantages(*backend_, many);
    DeviceArray<float> returns(*backend_, many), of_rows(*backend_, many + 1);
    DeviceArray<std::uint8_t> terminated(*backend_, many), truncated(*backend_, many);
    backend_->generalized_advantage({.horizon = many,
                                     .count = 1,
                                     .rewards = rewards.data(),
                                     .terminated = terminated.data(),
                                     .truncated = truncated.data(),
                                     .values = of_rows.data(),
                                     .advantages = advantages.data(),
                                     .returns = returns.data()});
    step(direct, direct);
    recording->enqueue(0, [&] { step(recorded, recorded); });
    EXPECT_EQ(recorded.read(), direct.read()) << repeat;
  }
}

TEST_F(RecordingTest, BranchesRunBesideEachOther) {
  const auto recording = backend_->make_recording();
  std::vector<DeviceArray<float>> branches;
  for (int b = 0; b < 4; ++b) branches.push_back(values());
  auto direct = values();
  for (int repeat = 0; repeat < 4; ++repeat) {
    recording->enqueue(0, [&] {
      backend_->parallel(2, [&](std::int64_t outer) {
        backend_->parallel(2, [&](std::int64_t inner) {
          auto& own = branches[static_cast<std::size_t>(2 * outer + inner)];
          step(own, own);
        });
      });
      // After all of them.
      step(branches[0], branches[1]);
      step(branches[2], branches[3]);
    });
    step(direct, direct);
    EXPECT_EQ(branches[0].read(), direct.read());
    auto next = values();
    step(direct, next);
    EXPECT_EQ(branches[1].read(), next.read());
    EXPECT_EQ(branches[3].read(), next.read());
    branches[1].write(direct.read());
    branches[3].write(direct.read());
  }
}

TEST_F(RecordingTest, AnErrorLeavesTheBackendUsable) {
  const auto recording = backend_->make_recording();
  auto memory = values(), direct = values();
  for (int repeat = 0; repeat < 3; ++repeat) {
    EXPECT_THROW(recording->enqueue(0,
                                    [&] {
                                      step(memory, memory);
                                      throw Error("of an op");
                                    }),
                 Error);
  }
  memory = values();
  step(memory, memory);
  step(direct, direct);
  EXPECT_EQ(memory.read(), direct.read());
}

TEST_F(RecordingTest, MarksAreInOrder) {
  auto memory = values();
  const TimeMark first = backend_->mark();
  step(memory, memory);
  const TimeMark second = backend_->mark();
  EXPECT_GE(backend_->seconds_between(first, second), 0.0);
}

}  // namespace
}  // namespace lpdm
