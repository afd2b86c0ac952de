// Initial states follow Gymnasium's laws.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "lpdm/environment.h"

namespace lpdm {
namespace {

constexpr std::uint32_t kDraws = 400;

RandomStream stream(std::uint32_t episode) {
  return RandomStream(17, {StreamPurpose::kEnvironmentReset, 0, episode, 0});
}

// All values of coordinate `i` of state part `part` over many resets, minus `base`.
std::vector<double> draws(Environment& environment, const std::string& part, std::size_t i,
                          double base = 0.0) {
  std::vector<double> values;
  for (std::uint32_t episode = 0; episode < kDraws; ++episode) {
    RandomStream random = stream(episode);
    environment.reset(random);
    values.push_back(environment.state().at(part).at(i) - base);
  }
  return values;
}

// Within the range, and reaching close to both ends of it.
void expect_uniform(const std::vector<double>& values, double low, double high) {
  const auto [least, greatest] = std::ranges::minmax(values);
  const double margin = 0.03 * (high - low);
  EXPECT_GE(least, low);
  EXPECT_LE(greatest, high);
  EXPECT_LT(least, low + margin);
  EXPECT_GT(greatest, high - margin);
}

// Mean 0 and the standard deviation within four standard errors.
void expect_normal(const std::vector<double>& values, double deviation) {
  const double count = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / count;
  const double square =
      std::inner_product(values.begin(), values.end(), values.begin(), 0.0) / count;
  EXPECT_NEAR(mean, 0.0, 4 * deviation / std::sqrt(count));
  EXPECT_NEAR(std::sqrt(square - mean * mean), deviation, 4 * deviation / std::sqrt(2 * count));
}

TEST(ResetTest, UniformLaws) {
  struct Law {
    const char* id;
    const char* part;
    std::size_t coordinate;
    double base;
    double range;
  };
  const std::vector<Law> laws = {{"CartPole-v1", "state", 0, 0.0, 0.05},
                                 {"CartPole-v1", "state", 3, 0.0, 0.05},
                                 {"Acrobot-v1", "state", 1, 0.0, 0.1 + 1e-8},
                                 {"InvertedPendulum-v4", "qpos", 1, 0.0, 0.01},
                                 {"InvertedPendulum-v5", "qvel", 0, 0.0, 0.01},
                                 {"Hopper-v4", "qpos", 1, 1.25, 0.005 + 1e-15},
                                 {"Hopper-v5", "qvel", 5, 0.0, 0.005},
                                 {"Walker2d-v4", "qpos", 1, 1.25, 0.005 + 1e-15},
                                 {"Walker2d-v5", "qvel", 8, 0.0, 0.005},
                                 {"HalfCheetah-v4", "qpos", 0, 0.0, 0.1},
                                 {"Ant-v4", "qpos", 2, 0.75, 0.1 + 1e-15},
                                 {"Pusher-v4", "qvel", 6, 0.0, 0.005}};
  for (const Law& law : laws) {
    SCOPED_TRACE(std::string(law.id) + " " + law.part);
    const auto environment = make_environment(law.id);
    expect_uniform(draws(*environment, law.part, law.coordinate, law.base), -law.range, law.range);
  }
}

TEST(ResetTest, NormalVelocities) {
  for (const char* id : {"HalfCheetah-v4", "HalfCheetah-v5", "Ant-v4", "Ant-v5"}) {
    SCOPED_TRACE(id);
    const auto environment = make_environment(id);
    expect_normal(draws(*environment, "qvel", 5), 0.1);
  }
}

TEST(ResetTest, NoiseScaleIsAnOption) {
  const auto environment = make_environment("Hopper-v4", {{"reset_noise_scale", {0.0}}});
  RandomStream random = stream(0);
  environment->reset(random);
  EXPECT_EQ(environment->state().at("qpos"), (std::vector<double>{0.0, 1.25, 0.0, 0.0, 0.0, 0.0}));
  EXPECT_EQ(environment->state().at("qvel"), std::vector<double>(6));
}

TEST(ResetTest, AcrobotRoundsToFloat32) {
  const auto environment = make_environment("Acrobot-v1");
  for (const double value : draws(*environment, "state", 2)) {
    EXPECT_EQ(value, static_cast<double>(static_cast<float>(value)));
  }
}

TEST(ResetTest, PusherKeepsTheObjectAwayFromTheGoal) {
  const auto environment = make_environment("Pusher-v4");
  for (std::uint32_t episode = 0; episode < kDraws; ++episode) {
    RandomStream random = stream(episode);
    environment->reset(random);
    const std::vector<double> qpos = environment->state().at("qpos");
    EXPECT_GT(std::hypot(qpos[7], qpos[8]), 0.17);
    EXPECT_TRUE(qpos[7] >= -0.3 && qpos[7] <= 0.0 && std::abs(qpos[8]) <= 0.2);
    EXPECT_TRUE(
        std::ranges::all_of(qpos.begin(), qpos.begin() + 7, [](double q) { return q == 0; }));
    EXPECT_EQ(qpos[9], 0.0);
    EXPECT_EQ(qpos[10], 0.0);
    const std::vector<double> qvel = environment->state().at("qvel");
    EXPECT_TRUE(std::ranges::all_of(qvel.begin() + 7, qvel.end(), [](double v) { return v == 0; }));
  }
}

TEST(ResetTest, ForgetsThePreviousEpisode) {
  for (const std::string& id : environment_ids()) {
    SCOPED_TRACE(id);
    const auto fresh = make_environment(id);
    const auto used = make_environment(id);
    const std::vector<float> action(static_cast<std::size_t>(used->spec().action.width()), 1.0F);
    RandomStream first = stream(1);
    used->reset(first);
    for (int step = 0; step < 5; ++step) used->step(action);
    RandomStream again = stream(2);
    RandomStream same = stream(2);
    used->reset(again);
    fresh->reset(same);
    for (int step = 0; step < 5; ++step) {
      EXPECT_EQ(used->step(action).reward, fresh->step(action).reward);
      EXPECT_EQ(used->state(), fresh->state());
    }
  }
}

TEST(ResetTest, BothObservationsHaveTheSameValues) {
  for (const std::string& id : environment_ids()) {
    SCOPED_TRACE(id);
    const auto environment = make_environment(id);
    RandomStream random = stream(3);
    environment->reset(random);
    const auto size = static_cast<std::size_t>(environment->spec().observation_size);
    std::vector<double> wide(size);
    std::vector<float> narrow(size);
    environment->observe(std::span<double>(wide));
    environment->observe(std::span<float>(narrow));
    EXPECT_TRUE(
        std::ranges::equal(wide, narrow, {}, [](double x) { return static_cast<float>(x); }));
  }
}

}  // namespace
}  // namespace lpdm
