#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "io/usage_error.h"
#include "lpdm/environment.h"

namespace lpdm {
namespace {

TEST(RegistryTest, IdsAreSorted) {
  const std::vector<std::string> ids = environment_ids();
  EXPECT_TRUE(std::ranges::is_sorted(ids));
  EXPECT_EQ(std::ranges::count(ids, "CartPole-v1"), 1);
}

TEST(RegistryTest, DefaultOptionsAreWhatIsUsedWithoutOptions) {
  for (const std::string& id : environment_ids()) {
    const auto plain = make_environment(id);
    const auto explicit_defaults = make_environment(id, default_options(id));
    EXPECT_EQ(plain->spec().observation_size, explicit_defaults->spec().observation_size) << id;
    EXPECT_EQ(plain->spec().dt, explicit_defaults->spec().dt) << id;
    EXPECT_EQ(default_options(id).size(), environment_options(id).size()) << id;
  }
}

TEST(RegistryTest, UnknownIdSuggestsTheNearest) {
  expect_usage_error([] { make_environment("hoper-v4"); }, {"hoper-v4", "Hopper-v4"});
  expect_usage_error([] { default_options("CartPole"); }, {"CartPole-v1"});
  expect_usage_error([] { environment_options(""); }, {"did you mean"});
}

TEST(RegistryTest, UnknownOptionSuggestsTheNearest) {
  expect_usage_error(
      [] {
        make_environment("Ant-v4", {{"use_contact_force", {1.0}}});
      },
      {"Ant-v4", "use_contact_force", "use_contact_forces"});
  expect_usage_error(
      [] {
        make_environment("Pusher-v4", {{"frame_skip", {1.0}}});
      },
      {"Pusher-v4", "no options"});
}

struct BadValue {
  std::string option;
  std::vector<double> value;
  std::string expected;
};

TEST(RegistryTest, RefusesValuesThatDoNotFit) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const std::vector<BadValue> cases = {
      {"healthy_reward", {1.0, 2.0}, "one finite number"},
      {"healthy_reward", {kInfinity}, "one finite number"},
      {"healthy_z_range", {1.0}, "two numbers"},
      {"healthy_z_range", {2.0, 1.0}, "lower limit first"},
      {"healthy_z_range", {kNan, 1.0}, "two numbers"},
      {"terminate_when_unhealthy", {0.5}, "true or false"},
      {"frame_skip", {0.0}, "at least 1"},
      {"frame_skip", {1.5}, "whole number"},
  };
  for (const BadValue& bad : cases) {
    expect_usage_error(
        [&] {
          make_environment("Hopper-v5", {{bad.option, bad.value}});
        },
        {"Hopper-v5", bad.option, bad.expected});
  }
}

TEST(RegistryTest, RefusesABodyThatTheModelLacks) {
  expect_usage_error([] { make_environment("Ant-v5", {{"main_body", {14.0}}}); }, {"main_body"});
}

TEST(RegistryTest, InfiniteRangesAreAllowed) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(default_options("Hopper-v4").at("healthy_z_range")[1], kInfinity);
  EXPECT_NE(make_environment("Hopper-v4", {{"healthy_angle_range", {-kInfinity, kInfinity}}}),
            nullptr);
}

TEST(RegistryTest, SetStateNamesWhatIsWrong) {
  const auto hopper = make_environment("Hopper-v4");
  const std::vector<double> six(6);
  expect_usage_error([&] { hopper->set_state({{"qpos", six}}); }, {"Hopper-v4", "lacks qvel"});
  expect_usage_error(
      [&] {
        hopper->set_state({{"qpos", six}, {"qvel", {1.0}}});
      },
      {"qvel", "6 numbers", "1"});
  const auto cartpole = make_environment("CartPole-v1");
  const double nan = std::numeric_limits<double>::quiet_NaN();
  expect_usage_error(
      [&] {
        cartpole->set_state({{"state", {0.0, 0.0, nan, 0.0}}});
      },
      {"state[2]", "finite"});
  const auto acrobot = make_environment("Acrobot-v1");
  expect_usage_error(
      [&] {
        acrobot->set_state({{"state", {1e300, 0.0, 0.0, 0.0}}});
      },
      {"Acrobot-v1", "angles"});
}

}  // namespace
}  // namespace lpdm
