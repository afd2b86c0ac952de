// Many steps of every environment by four threads, with episodes that end and start again: what the
// sanitizers are to look at. LPDM_SOAK_STEPS: steps of each environment, for long runs.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numeric>
#include <string>

#include "env/goldens.h"
#include "lpdm/vector_env.h"

namespace lpdm {
namespace {

constexpr std::uint64_t kSeed = 23;
constexpr std::int64_t kCount = 12;  // environments
constexpr int kThreads = 4;

// Of both kinds of episodes.
std::int64_t soak_rounds() {
  constexpr std::int64_t kShort = 2000;
  const char* given = std::getenv("LPDM_SOAK_STEPS");
  const std::int64_t steps =
      given == nullptr ? kShort : std::max<std::int64_t>(kShort, std::atoll(given));
  return steps / (2 * kCount) + 1;
}

// Half the environments act at random; the others push one way, so that what can fall, falls.
void fill_actions(const ActionSpace& space, std::uint32_t step, std::span<float> actions) {
  RandomStream random(kSeed, {StreamPurpose::kAction, 0, 0, step});
  const std::size_t width = static_cast<std::size_t>(space.width());
  for (std::size_t i = 0; i < actions.size(); ++i) {
    const double low = space.discrete ? 0.0 : space.low[i % width];
    const double high = space.discrete ? static_cast<double>(space.size) : space.high[i % width];
    const double value = i / width % 2 == 0 ? random.uniform(low, high) : low;
    actions[i] = static_cast<float>(space.discrete ? std::floor(value) : value);
  }
}

struct Ends {
  std::int64_t terminated = 0;
  std::int64_t truncated = 0;
};

// Steps all environments `rounds` times, the next episode starting in place.
Ends soak(const std::string& id, std::int64_t limit, std::int64_t rounds) {
  ThreadPool pool(kThreads);
  VectorEnv envs(id, {}, kCount, limit, pool);
  std::vector<std::uint32_t> episodes(static_cast<std::size_t>(kCount));
  const auto stream = [&](std::int64_t e) {
    const std::uint32_t episode = episodes[static_cast<std::size_t>(e)]++;
    return RandomStream(
        kSeed, {StreamPurpose::kEnvironmentReset, static_cast<std::uint32_t>(e), episode, 0});
  };
  const VectorEnv::NextEpisode next_episode = stream;
  for (std::int64_t e = 0; e < kCount; ++e) envs.reset(e, stream(e));
  std::vector<std::int64_t> rows(static_cast<std::size_t>(kCount));
  std::iota(rows.begin(), rows.end(), 0);
  Ends ends;
  for (std::int64_t round = 0; round < rounds; ++round) {
    fill_actions(envs.spec().action, static_cast<std::uint32_t>(round), envs.actions());
    envs.step(rows, envs.own_buffers(), &next_episode);
    ends.terminated += std::ranges::count(envs.terminated(), 1);
    ends.truncated += std::ranges::count(envs.truncated(), 1);
    EXPECT_EQ(std::ranges::count(envs.diverged(), 1), 0);
    EXPECT_TRUE(std::ranges::all_of(envs.observations(), [](float x) { return std::isfinite(x); }));
  }
  return ends;
}

class SoakTest : public testing::TestWithParam<std::string> {};

TEST_P(SoakTest, ShortEpisodesAreTruncated) {
  constexpr std::int64_t kLimit = 4;
  const Ends ends = soak(GetParam(), kLimit, soak_rounds());
  EXPECT_GE(ends.truncated, soak_rounds() / kLimit);
}

TEST_P(SoakTest, LongEpisodesTerminateWhereTheyCan) {
  const bool is_endless = GetParam().starts_with("HalfCheetah") ||
                          GetParam().starts_with("Pusher") || GetParam().starts_with("Acrobot");
  const Ends ends = soak(GetParam(), 100, soak_rounds());
  EXPECT_EQ(ends.terminated == 0, is_endless);
}

std::vector<std::string> soaked_ids() {
  std::vector<std::string> ids = environment_ids();
  ids.emplace_back("mjcf:" LPDM_TEST_DATA_DIR "/../../configs/environments/hopper.json");
  return ids;
}

std::string parameter_name(const testing::TestParamInfo<std::string>& id) {
  return id.param.starts_with(kMjcf) ? "mjcf" : test_name(id.param);
}

INSTANTIATE_TEST_SUITE_P(All, SoakTest, testing::ValuesIn(soaked_ids()), parameter_name);

}  // namespace
}  // namespace lpdm
