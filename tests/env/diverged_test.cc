// A simulation that breaks down ends its episode and leaves nothing that is not finite; episodes
// that end in place keep their final observation.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>

#include "env/fragile_environment.h"
#include "lpdm/error.h"
#include "lpdm/vector_env.h"

namespace lpdm {
namespace {

constexpr float kNone = 0.0F;

RandomStream stream(std::int64_t e, std::uint32_t episode = 0) {
  return RandomStream(3,
                      {StreamPurpose::kEnvironmentReset, static_cast<std::uint32_t>(e), episode});
}

std::vector<std::int64_t> reset_all(VectorEnv& envs) {
  std::vector<std::int64_t> rows(static_cast<std::size_t>(envs.count()));
  std::iota(rows.begin(), rows.end(), 0);
  for (const std::int64_t e : rows) envs.reset(e, stream(e));
  return rows;
}

// Environment e does what breakdown e says, in its second step.
TEST(DivergedTest, EndsTheEpisodeWithTheObservationBefore) {
  for (const int threads : {1, 3}) {
    ThreadPool pool(threads);
    VectorEnv envs(fragile_environments(kBreakdowns), 0, pool);
    const std::vector<std::int64_t> rows = reset_all(envs);
    std::ranges::fill(envs.actions(), kNone);
    envs.step(rows);
    const std::vector<float> before(envs.observations().begin(), envs.observations().end());
    std::iota(envs.actions().begin(), envs.actions().end(), 0.0F);
    envs.step(rows);
    const auto expect = [&](Breakdown breakdown, bool diverged, bool terminated, double reward) {
      const auto e = static_cast<std::size_t>(breakdown);
      SCOPED_TRACE(e);
      EXPECT_EQ(envs.diverged()[e], diverged ? 1 : 0);
      EXPECT_EQ(envs.truncated()[e], diverged ? 1 : 0);
      EXPECT_EQ(envs.terminated()[e], terminated ? 1 : 0);
      EXPECT_EQ(envs.rewards()[e], reward);
      EXPECT_EQ(envs.observations()[2 * e], diverged ? 1.0F : 2.0F);
      EXPECT_EQ(envs.observations()[2 * e + 1], before[2 * e + 1]);
    };
    expect(Breakdown::kNone, false, false, 2.0);
    expect(Breakdown::kObservation, true, false, 0.0);
    expect(Breakdown::kReward, true, false, 0.0);
    expect(Breakdown::kSimulation, true, false, 0.0);
    expect(Breakdown::kFalls, false, true, 2.0);
    EXPECT_THROW(envs.step(rows), Error);  // it waits for its reset
  }
}

// The same on memory of the caller's, with the next episode in place.
TEST(DivergedTest, TheNextEpisodeStartsInPlace) {
  for (const int threads : {1, 3}) {
    ThreadPool pool(threads);
    VectorEnv envs(fragile_environments(kBreakdowns), 0, pool);
    const std::vector<std::int64_t> rows = reset_all(envs);
    std::vector<float> before(envs.observations().begin(), envs.observations().end());
    std::vector<float> after(before.size());
    const std::vector<float> actions = {0.0F, 1.0F, 2.0F, 3.0F, 4.0F};
    const VectorEnv::NextEpisode next = [](std::int64_t e) { return stream(e, 1); };
    envs.step(rows, {.actions = actions, .before = before, .after = after}, &next);
    for (std::size_t e = 0; e < kBreakdowns; ++e) {
      SCOPED_TRACE(e);
      const bool ended = e != static_cast<std::size_t>(Breakdown::kNone);
      const bool diverged = ended && e != static_cast<std::size_t>(Breakdown::kFalls);
      EXPECT_EQ(envs.diverged()[e], diverged ? 1 : 0);
      EXPECT_EQ(after[2 * e], ended ? 0.0F : 1.0F);
      RandomStream random = stream(static_cast<std::int64_t>(e), 1);
      EXPECT_EQ(after[2 * e + 1], ended ? static_cast<float>(random.uniform()) : before[2 * e + 1]);
      EXPECT_EQ(envs.elapsed()[e], ended ? 0 : 1);
      if (!ended) continue;
      EXPECT_EQ(envs.final_observations()[2 * e], diverged ? 0.0F : 1.0F);
      EXPECT_EQ(envs.final_observations()[2 * e + 1], before[2 * e + 1]);
    }
    envs.step(rows, {.actions = std::vector<float>(kBreakdowns), .before = after, .after = before},
              &next);  // all of them run
    EXPECT_EQ(before[2 * 4], 1.0F);
  }
}

TEST(DivergedTest, AnEpisodeWithoutASuccessorStaysEnded) {
  ThreadPool pool(1);
  VectorEnv envs(fragile_environments(2), 0, pool);
  const std::vector<std::int64_t> rows = reset_all(envs);
  envs.actions()[0] = envs.actions()[1] = static_cast<float>(Breakdown::kFalls);
  const VectorEnv::NextEpisode next = [](std::int64_t e) -> std::optional<RandomStream> {
    if (e == 0) return std::nullopt;
    return stream(e, 1);
  };
  envs.step(rows, envs.own_buffers(), &next);
  EXPECT_EQ(envs.observations()[0], 1.0F);
  EXPECT_EQ(envs.observations()[2], 0.0F);
  envs.actions()[1] = kNone;
  envs.step(std::vector<std::int64_t>{1});
  EXPECT_THROW(envs.step(std::vector<std::int64_t>{0}), Error);
}

// MuJoCo resets a broken simulation by itself and goes on: only its warnings tell.
TEST(DivergedTest, MujocoSaysThatItsSimulationIsUnstable) {
  ThreadPool pool(1);
  VectorEnv envs("HalfCheetah-v4", {{"reset_noise_scale", {1e3}}}, 3, 0, pool);
  const std::vector<std::int64_t> rows = reset_all(envs);
  std::ranges::fill(envs.actions(), 0.0F);
  std::int64_t diverged = 0;
  for (int step = 0; step < 20; ++step) {
    std::vector<std::int64_t> running;
    std::ranges::copy_if(rows, std::back_inserter(running), [&](std::int64_t e) {
      return envs.truncated()[static_cast<std::size_t>(e)] == 0;
    });
    envs.step(running);
    diverged = std::accumulate(envs.diverged().begin(), envs.diverged().end(), std::int64_t{0});
    for (const float value : envs.observations()) ASSERT_TRUE(std::isfinite(value));
    for (const double reward : envs.rewards()) ASSERT_TRUE(std::isfinite(reward));
  }
  EXPECT_EQ(diverged, 3);
}

// Actions are not clipped, so a huge one overflows the control cost in float32.
TEST(DivergedTest, AnOverflowOfTheRewardIsADivergence) {
  ThreadPool pool(1);
  VectorEnv envs("HalfCheetah-v4", {}, 2, 0, pool);
  const std::vector<std::int64_t> rows = reset_all(envs);
  std::ranges::fill(envs.actions(), 0.0F);
  envs.actions()[6] = 1e30F;  // of environment 1: six numbers each
  envs.step(rows);
  EXPECT_EQ(envs.diverged()[0], 0);
  EXPECT_EQ(envs.diverged()[1], 1);
  EXPECT_EQ(envs.rewards()[1], 0.0);
  envs.reset(1, stream(1));
  EXPECT_EQ(envs.diverged()[1], 0);
  EXPECT_EQ(envs.truncated()[1], 0);
}

}  // namespace
}  // namespace lpdm
