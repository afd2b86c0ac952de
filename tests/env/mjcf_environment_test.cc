// Custom environments: definitions of Gymnasium's own environments do what those do, to the bit.
#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "env/golden_comparison.h"
#include "env/goldens.h"
#include "env/replay.h"
#include "io/temporary_folder.h"
#include "lpdm/environment.h"

namespace lpdm {
namespace {

namespace fs = std::filesystem;

// A definition and the environment that it describes.
struct Twin {
  const char* definition;  // from tests/data
  const char* id;
};

std::string mjcf_id(const std::string& definition) {
  return "mjcf:" + (fs::path(LPDM_TEST_DATA_DIR) / definition).string();
}

class MjcfTwinTest : public testing::TestWithParam<Twin> {};

TEST_P(MjcfTwinTest, ReplaysTheRecordedEpisodes) {
  if (const std::string reason = incomparable(GetParam().id); !reason.empty()) {
    GTEST_SKIP() << reason;
  }
  const fs::path golden = golden_folder() / (std::string(GetParam().id) + ".json");
  Trace trace = read_trace(golden);
  trace.env_id = mjcf_id(GetParam().definition);
  expect_replay(replay_trace(trace), read_json(golden));
}

TEST_P(MjcfTwinTest, HasTheSameSpec) {
  const auto custom = make_environment(mjcf_id(GetParam().definition));
  const auto built_in = make_environment(GetParam().id);
  const EnvironmentSpec& spec = custom->spec();
  const EnvironmentSpec& expected = built_in->spec();
  EXPECT_EQ(spec.observation_size, expected.observation_size);
  EXPECT_EQ(spec.observation_low, expected.observation_low);
  EXPECT_EQ(spec.action.low, expected.action.low);
  EXPECT_EQ(spec.action.high, expected.action.high);
  EXPECT_EQ(spec.max_episode_steps, expected.max_episode_steps);
  EXPECT_EQ(spec.reward_threshold, expected.reward_threshold);
  EXPECT_EQ(spec.dt, expected.dt);
}

class MjcfResetTest : public MjcfTwinTest {};

TEST_P(MjcfResetTest, StartsWhereItsTwinStarts) {
  const auto custom = make_environment(mjcf_id(GetParam().definition));
  const auto built_in = make_environment(GetParam().id);
  for (std::uint32_t episode = 0; episode < 3; ++episode) {
    RandomStream random(3, {StreamPurpose::kEnvironmentReset, 0, episode, 0});
    RandomStream same(3, {StreamPurpose::kEnvironmentReset, 0, episode, 0});
    custom->reset(random);
    built_in->reset(same);
    EXPECT_EQ(custom->state(), built_in->state());
  }
}

const std::vector<Twin> kTwins = {
    {"../../configs/environments/hopper.json", "Hopper-v4"},
    {"environments/walker2d.json", "Walker2d-v5"},
    {"environments/half_cheetah.json", "HalfCheetah-v4"},
    {"environments/inverted_pendulum.json", "InvertedPendulum-v4"},
    {"environments/ant.json", "Ant-v5"},
};
// Where Gymnasium starts it, no definition can say.
const Twin kPusher = {"environments/pusher.json", "Pusher-v4"};

std::string twin_name(const testing::TestParamInfo<Twin>& twin) { return test_name(twin.param.id); }

INSTANTIATE_TEST_SUITE_P(All, MjcfTwinTest, testing::ValuesIn(kTwins), twin_name);
INSTANTIATE_TEST_SUITE_P(Pusher, MjcfTwinTest, testing::Values(kPusher), twin_name);
INSTANTIATE_TEST_SUITE_P(All, MjcfResetTest, testing::ValuesIn(kTwins), twin_name);

// A weight that a motor lifts, with a sensor; every number below can be computed by hand.
constexpr char kLift[] = R"(<mujoco>
  <option timestep="0.01" gravity="0 0 0"/>
  <worldbody>
    <body name="post" pos="3 4 0"/>
    <body name="weight">
      <joint name="lift" type="slide" axis="0 0 1" damping="0"/>
      <geom type="sphere" size="0.1" mass="2"/>
      <site name="top" pos="0 0 0.1"/>
    </body>
  </worldbody>
  <actuator><motor joint="lift" ctrllimited="true" ctrlrange="-4 4"/></actuator>
  <sensor><jointpos name="height" joint="lift"/></sensor>
</mujoco>)";

class LiftTest : public testing::Test {
 protected:
  void SetUp() override { put_file(folder_ / "lift.xml", kLift); }

  // The definition of `rest` on top of the model and an observation of everything.
  std::unique_ptr<Environment> make(const std::string& rest) const {
    put_file(folder_ / "lift.json", R"({"model": "lift.xml", "frame_skip": 2, "observation": [
      {"of": "qpos"}, {"of": "qvel"}, {"of": "sensordata[height]"}, {"of": "site_xpos[top]"}], )" +
                                        rest + "}");
    return make_environment("mjcf:" + (folder_ / "lift.json").string());
  }

  static StepResult step(Environment& environment, float action) {
    return environment.step(std::array<float, 1>{action});
  }

  TemporaryFolder folder_;
};

TEST_F(LiftTest, FindsTheModelNextToTheDefinition) {
  const auto lift = make(R"("reward": [{"kind": "constant", "weight": 0.25}])");
  EXPECT_EQ(lift->spec().observation_size, 6);
  EXPECT_EQ(lift->spec().max_episode_steps, 1000);
  EXPECT_DOUBLE_EQ(lift->spec().dt, 0.02);
  lift->set_state({{"qpos", {0.5}}, {"qvel", {0.0}}});
  EXPECT_EQ(step(*lift, 0.0F).reward, 0.25);
  std::array<double, 6> observation{};
  lift->observe(std::span<double>(observation));
  EXPECT_EQ(observation, (std::array<double, 6>{0.5, 0.0, 0.5, 0.0, 0.0, 0.5 + 0.1}));
}

TEST_F(LiftTest, PaysEveryKindOfTerm) {
  struct Case {
    const char* term;
    double expected;
  };
  // From rest at height 1, F = 4 gives 2 m/s^2: 0.02 m/s and 0.0002 m after one sub-step, 0.04 m/s
  // and 0.0006 m after the second. Positions of bodies are those of the second one's start.
  const std::vector<Case> cases = {
      {R"({"kind": "velocity", "of": "qpos[0]", "weight": 2})", 2 * 0.0006 / 0.02},
      {R"({"kind": "value", "of": "qvel[0]", "weight": 3})", 3 * 0.04},
      {R"({"kind": "value", "of": "qpos[0]", "when": "before"})", 1.0},
      {R"({"kind": "value", "of": "qpos[0]", "when": "after"})", 1.0006},
      {R"({"kind": "squares", "of": "qpos", "weight": 0.5})", 0.5 * 1.0006 * 1.0006},
      {R"({"kind": "squares", "of": "qpos", "clip": [-0.5, 0.5]})", 0.25},
      {R"({"kind": "control", "weight": -0.5})", -0.5 * 16},
      {R"({"kind": "distance", "of": "xpos[weight]", "to": "xpos[post]"})",
       std::sqrt(25 + 1.0002 * 1.0002)},
      {R"({"kind": "distance", "of": "xpos[weight]", "to": "xpos[post]", "when": "before"})",
       std::sqrt(26.0)},
      {R"({"kind": "distance", "of": "xpos[weight][0:2]", "to": "xpos[post][0:2]"})", 5.0},
      {R"({"kind": "healthy", "weight": 7})", 7.0},
  };
  for (const Case& one : cases) {
    SCOPED_TRACE(one.term);
    for (const bool is_cost : {false, true}) {
      const auto lift =
          make(std::string(is_cost ? "\"cost\"" : "\"reward\"") + ": [" + one.term + "]");
      lift->set_state({{"qpos", {1.0}}, {"qvel", {0.0}}});
      EXPECT_NEAR(step(*lift, 4.0F).reward, is_cost ? -one.expected : one.expected, 1e-12);
    }
  }
}

TEST_F(LiftTest, BoundsAreOpenOrClosedAsAsked) {
  struct Case {
    const char* bounds;
    double height;
    bool healthy;
  };
  const std::vector<Case> cases = {
      {R"("above": 1)", 1.0, false},      {R"("above": 1)", 1.0 + 1e-15, true},
      {R"("at_least": 1)", 1.0, true},    {R"("at_least": 1)", 1.0 - 1e-15, false},
      {R"("below": 1)", 1.0, false},      {R"("below": 1)", 1.0 - 1e-15, true},
      {R"("at_most": 1)", 1.0, true},     {R"("at_most": 1)", 1.0 + 1e-15, false},
      {R"("finite": true)", 1e300, true}, {R"("above": 0, "below": 2)", 2.0, false},
  };
  for (const Case& one : cases) {
    SCOPED_TRACE(std::string(one.bounds) + " at " + std::to_string(one.height));
    const auto lift = make(std::string(R"("reward": [{"kind": "healthy"}], "healthy": [)") +
                           R"({"of": "qpos[lift]", )" + one.bounds + "}]");
    lift->set_state({{"qpos", {one.height}}, {"qvel", {0.0}}});
    const StepResult result = step(*lift, 0.0F);
    EXPECT_EQ(result.terminated, !one.healthy);
    EXPECT_EQ(result.reward, one.healthy ? 1.0 : 0.0);
  }
}

TEST_F(LiftTest, PaysTheTerminatingStepIfAsked) {
  struct Case {
    const char* rest;
    double reward;
    bool terminated;
  };
  const std::vector<Case> cases = {
      {R"("reward": [{"kind": "healthy"}])", 0.0, true},
      {R"("reward": [{"kind": "healthy", "on_terminating_step": true}])", 1.0, true},
      {R"("reward": [{"kind": "healthy", "on_terminating_step": true}],
          "terminate_when_unhealthy": false)",
       0.0, false}};
  for (const Case& one : cases) {
    SCOPED_TRACE(one.rest);
    const auto lift = make(std::string(one.rest) + R"(, "healthy": [{"of": "qpos", "below": 0}])");
    lift->set_state({{"qpos", {1.0}}, {"qvel", {0.0}}});
    const StepResult result = step(*lift, 0.0F);
    EXPECT_EQ(result.reward, one.reward);
    EXPECT_EQ(result.terminated, one.terminated);
  }
}

TEST_F(LiftTest, StartsWhereItIsTold) {
  const auto lift = make(R"("reward": [{"kind": "constant"}],
    "reset": {"qpos": [2], "qvel": [-1], "noise": [{"of": "qpos", "uniform": [0.5, 1]},
                                                   {"of": "qvel", "normal": 0}]})");
  for (std::uint32_t episode = 0; episode < 20; ++episode) {
    RandomStream random(1, {StreamPurpose::kEnvironmentReset, 0, episode, 0});
    lift->reset(random);
    const double height = lift->state().at("qpos")[0];
    EXPECT_TRUE(height >= 2.5 && height <= 3.0) << height;
    EXPECT_EQ(lift->state().at("qvel"), std::vector<double>{-1.0});
  }
}

}  // namespace
}  // namespace lpdm
