#include "lpdm/vector_env.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <numeric>

namespace lpdm {
namespace {

constexpr std::uint64_t kSeed = 5;

RandomStream reset_stream(std::int64_t e, std::int64_t episode) {
  return RandomStream(kSeed, {StreamPurpose::kEnvironmentReset, static_cast<std::uint32_t>(e),
                              static_cast<std::uint32_t>(episode), 0});
}

std::vector<std::int64_t> all_rows(const VectorEnv& envs) {
  std::vector<std::int64_t> rows(static_cast<std::size_t>(envs.count()));
  std::iota(rows.begin(), rows.end(), 0);
  return rows;
}

void reset_all(VectorEnv& envs, std::int64_t episode = 0) {
  for (const std::int64_t e : all_rows(envs)) envs.reset(e, reset_stream(e, episode));
}

// Random actions within the space, the same for the same step whatever the threads.
void fill_actions(VectorEnv& envs, std::uint32_t step) {
  const ActionSpace& space = envs.spec().action;
  RandomStream random(kSeed, {StreamPurpose::kAction, 0, 0, step});
  for (std::size_t i = 0; i < envs.actions().size(); ++i) {
    const std::size_t d = i % static_cast<std::size_t>(space.width());
    const double low = space.discrete ? 0.0 : space.low[d];
    const double high = space.discrete ? static_cast<double>(space.size) : space.high[d];
    const double value = random.uniform(low, high);
    envs.actions()[i] = static_cast<float>(space.discrete ? std::floor(value) : value);
  }
}

// Everything a run of random actions produced, episodes restarted as they end.
struct Record {
  std::vector<float> observations;
  std::vector<double> rewards;
  std::vector<std::uint8_t> ends;

  bool operator==(const Record&) const = default;
};

Record record(const std::string& id, std::int64_t count, int threads, std::uint32_t steps) {
  ThreadPool pool(threads);
  VectorEnv envs(id, {}, count, 20, pool);
  reset_all(envs);
  const std::vector<std::int64_t> rows = all_rows(envs);
  Record result;
  std::vector<std::int64_t> episodes(rows.size());
  for (std::uint32_t step = 0; step < steps; ++step) {
    fill_actions(envs, step);
    envs.step(rows);
    std::ranges::copy(envs.observations(), std::back_inserter(result.observations));
    std::ranges::copy(envs.rewards(), std::back_inserter(result.rewards));
    for (std::size_t e = 0; e < rows.size(); ++e) {
      const bool ended = envs.terminated()[e] != 0 || envs.truncated()[e] != 0;
      result.ends.push_back(
          static_cast<std::uint8_t>(2 * envs.terminated()[e] + envs.truncated()[e]));
      if (ended) envs.reset(rows[e], reset_stream(rows[e], ++episodes[e]));
    }
  }
  return result;
}

TEST(VectorEnvTest, ResultsDoNotDependOnTheNumberOfThreads) {
  for (const std::string& id : environment_ids()) {
    SCOPED_TRACE(id);
    EXPECT_EQ(record(id, 5, 1, 40), record(id, 5, 3, 40));
  }
}

// Enough cheap environments for several tasks.
TEST(VectorEnvTest, ManyCheapEnvironmentsDoNotDependOnTheNumberOfThreads) {
  const Record one = record("CartPole-v1", 5000, 1, 30);
  EXPECT_EQ(one, record("CartPole-v1", 5000, 3, 30));
  EXPECT_NE(std::ranges::count(one.ends, 1), 0);  // truncated
  EXPECT_NE(std::ranges::count(one.ends, 2), 0);  // terminated
}

// A row's result does not depend on which other rows are stepped, nor on their order.
RC_GTEST_PROP(VectorEnvTest, RowsAreIndependent, ()) {
  ThreadPool pool(1);
  constexpr std::int64_t kCount = 6;
  VectorEnv together("CartPole-v1", {}, kCount, 0, pool);
  VectorEnv subset("CartPole-v1", {}, kCount, 0, pool);
  reset_all(together);
  reset_all(subset);
  const auto chosen =
      *rc::gen::unique<std::vector<std::int64_t>>(rc::gen::inRange<std::int64_t>(0, kCount));
  const std::vector<float> before(subset.observations().begin(), subset.observations().end());
  fill_actions(together, 0);
  fill_actions(subset, 0);
  together.step(all_rows(together));
  subset.step(chosen);
  for (std::int64_t e = 0; e < kCount; ++e) {
    const bool stepped = std::ranges::find(chosen, e) != chosen.end();
    RC_ASSERT(subset.elapsed()[static_cast<std::size_t>(e)] == (stepped ? 1 : 0));
    for (std::size_t i = static_cast<std::size_t>(4 * e); i < static_cast<std::size_t>(4 * e + 4);
         ++i) {
      RC_ASSERT(subset.observations()[i] == (stepped ? together.observations()[i] : before[i]));
    }
  }
}

TEST(VectorEnvTest, ResetIsReproducibleByItsStream) {
  ThreadPool pool(1);
  for (const std::string& id : environment_ids()) {
    SCOPED_TRACE(id);
    VectorEnv envs(id, {}, 2, 0, pool);
    const auto row = [&](std::int64_t e) {
      const auto size = envs.spec().observation_size;
      const auto first = envs.observations().begin() + e * size;
      return std::vector<float>(first, first + size);
    };
    envs.reset(0, reset_stream(7, 3));
    envs.reset(1, reset_stream(7, 3));
    EXPECT_EQ(row(0), row(1));
    envs.reset(1, reset_stream(7, 4));
    EXPECT_NE(row(0), row(1));
  }
}

TEST(VectorEnvTest, TruncatesAtItsLimitAndKeepsTheFinalObservation) {
  ThreadPool pool(1);
  VectorEnv envs("HalfCheetah-v4", {}, 1, 3, pool);
  EXPECT_EQ(envs.max_episode_steps(), 3);
  const std::vector<std::int64_t> rows = {0};
  reset_all(envs);
  for (std::int64_t step = 1; step <= 3; ++step) {
    fill_actions(envs, 0);
    envs.step(rows);
    EXPECT_EQ(envs.elapsed()[0], step);
    EXPECT_EQ(envs.truncated()[0], step == 3 ? 1 : 0);
    EXPECT_EQ(envs.terminated()[0], 0);
  }
  const std::vector<float> final(envs.observations().begin(), envs.observations().end());
  VectorEnv longer("HalfCheetah-v4", {}, 1, 0, pool);
  reset_all(longer);
  for (int step = 0; step < 3; ++step) {
    fill_actions(longer, 0);
    longer.step(rows);
  }
  EXPECT_TRUE(std::ranges::equal(final, longer.observations()));
  EXPECT_EQ(longer.truncated()[0], 0);
  reset_all(envs, 1);
  EXPECT_EQ(envs.elapsed()[0], 0);
  EXPECT_EQ(envs.truncated()[0], 0);
  EXPECT_FALSE(std::ranges::equal(final, envs.observations()));
}

// A cart pushed one way falls; with the limit at just that step both flags are set.
TEST(VectorEnvTest, TerminationAndTruncationAreIndependent) {
  ThreadPool pool(1);
  const std::vector<std::int64_t> rows = {0};
  const auto run = [&](std::int64_t limit) {
    VectorEnv envs("CartPole-v1", {}, 1, limit, pool);
    reset_all(envs);
    do {
      envs.actions()[0] = 1.0F;
      envs.step(rows);
    } while (envs.terminated()[0] == 0 && envs.truncated()[0] == 0);
    return std::array<std::int64_t, 3>{envs.elapsed()[0], envs.terminated()[0],
                                       envs.truncated()[0]};
  };
  const auto [length, terminated, truncated] = run(0);
  EXPECT_EQ(terminated, 1);
  EXPECT_EQ(truncated, 0);
  EXPECT_EQ(run(length), (std::array<std::int64_t, 3>{length, 1, 1}));
  EXPECT_EQ(run(length - 1), (std::array<std::int64_t, 3>{length - 1, 0, 1}));
}

TEST(VectorEnvTest, TakesTheEnvironmentsOwnLimit) {
  ThreadPool pool(1);
  EXPECT_EQ(VectorEnv("Pusher-v4", {}, 1, 0, pool).max_episode_steps(), 100);
  EXPECT_EQ(VectorEnv("CartPole-v1", {}, 1, 0, pool).max_episode_steps(), 500);
}

TEST(VectorEnvTest, OptionsReachEveryInstance) {
  ThreadPool pool(1);
  VectorEnv envs("Ant-v4", {{"use_contact_forces", {1.0}}}, 2, 0, pool);
  EXPECT_EQ(envs.spec().observation_size, 111);
  EXPECT_EQ(envs.observations().size(), 222U);
}

}  // namespace
}  // namespace lpdm
