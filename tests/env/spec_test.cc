// What each environment says of itself is what Gymnasium says in the recorded files.
#include <gtest/gtest.h>

#include <limits>

#include "env/goldens.h"
#include "lpdm/environment.h"

namespace lpdm {
namespace {

using Json = nlohmann::json;

double bound(const Json& value) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (value == "inf") return kInfinity;
  if (value == "-inf") return -kInfinity;
  return value.get<double>();
}

// The files write equal bounds as one number.
template <typename T>
std::vector<T> bounds(const Json& space, const char* key) {
  const Json& value = space[key];
  std::vector<T> result;
  for (std::size_t i = 0; i < space["shape"][0].get<std::size_t>(); ++i) {
    result.push_back(static_cast<T>(bound(value.is_array() ? value[i] : value)));
  }
  return result;
}

void expect_action_space(const ActionSpace& space, const Json& expected) {
  EXPECT_EQ(space.discrete, expected["type"] == "Discrete");
  if (space.discrete) {
    EXPECT_EQ(space.size, expected["n"]);
    EXPECT_EQ(space.width(), 1);
    EXPECT_TRUE(space.low.empty() && space.high.empty());
  } else {
    EXPECT_EQ(space.size, expected["shape"][0]);
    EXPECT_EQ(space.width(), space.size);
    EXPECT_EQ(space.low, bounds<float>(expected, "low"));
    EXPECT_EQ(space.high, bounds<float>(expected, "high"));
  }
}

class SpecTest : public testing::TestWithParam<std::filesystem::path> {};

TEST_P(SpecTest, AgreesWithGymnasium) {
  const Json expected = read_json(GetParam());
  const std::unique_ptr<Environment> environment = make_environment(expected["env_id"]);
  const EnvironmentSpec& spec = environment->spec();
  const Json& observations = expected["observation_space"];
  EXPECT_EQ(spec.id, expected["env_id"]);
  EXPECT_EQ(spec.observation_size, observations["shape"][0]);
  EXPECT_EQ(spec.observation_low, bounds<double>(observations, "low"));
  EXPECT_EQ(spec.observation_high, bounds<double>(observations, "high"));
  EXPECT_EQ(spec.float32_observations, observations["dtype"] == "float32");
  expect_action_space(spec.action, expected["action_space"]);
  EXPECT_EQ(spec.max_episode_steps, expected["max_episode_steps"]);
  EXPECT_EQ(spec.reward_threshold.has_value(), !expected["reward_threshold"].is_null());
  if (spec.reward_threshold) {
    EXPECT_EQ(*spec.reward_threshold, expected["reward_threshold"]);
  }
  EXPECT_EQ(spec.dt, expected["dt"]);
  EXPECT_EQ(spec.model, expected.value("xml", ""));
  EXPECT_GT(spec.step_cost, 0.0);
}

INSTANTIATE_TEST_SUITE_P(All, SpecTest, testing::ValuesIn(json_files(golden_folder())),
                         [](const auto& file) { return test_name(file.param); });

}  // namespace
}  // namespace lpdm
