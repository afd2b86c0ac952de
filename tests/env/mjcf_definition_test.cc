// What the definition of a custom environment may not say, and that the message locates it.
#include "env/mjcf_definition.h"

#include <gtest/gtest.h>

#include "env/goldens.h"
#include "io/temporary_folder.h"
#include "io/usage_error.h"

namespace lpdm {
namespace {

constexpr char kHopper[] = R"({
  "model": "hopper.xml",
  "frame_skip": 4,
  "observation": [{"of": "qpos[1:]"}, {"of": "qvel", "clip": [-10, 10]}],
  "reward": [{"kind": "velocity", "of": "qpos[0]"}, {"kind": "healthy"}],
  "cost": [{"kind": "control", "weight": 1e-3}],
  "healthy": [{"of": "qpos[1]", "above": 0.7}],
  "reset": {"noise": [{"of": "qpos", "uniform": [-1, 1]}]}})";

class MjcfDefinitionTest : public testing::Test {
 protected:
  void expect_refused(const std::string& text, std::initializer_list<std::string> parts) const {
    put_file(path_, text);
    expect_usage_error([&] { read_mjcf_definition(path_.string(), "mjcf:mine"); }, parts);
    expect_usage_error([&] { make_environment("mjcf:" + path_.string()); }, {path_.string()});
  }
  // kHopper with the value at a JSON pointer replaced or added.
  void expect_refused_with(const std::string& pointer, const char* value,
                           std::initializer_list<std::string> parts) const {
    SCOPED_TRACE(pointer + " = " + value);
    const auto patch = nlohmann::json::array(
        {{{"op", "add"}, {"path", pointer}, {"value", nlohmann::json::parse(value)}}});
    expect_refused(nlohmann::json::parse(kHopper).patch(patch).dump(), parts);
  }

  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "mine.json";
};

TEST_F(MjcfDefinitionTest, AcceptsWhatTheOthersBreak) {
  put_file(path_, kHopper);
  const MjcfPlan plan = read_mjcf_definition(path_.string(), "mjcf:mine");
  EXPECT_EQ(plan.observation.size(), 2U);
  EXPECT_FALSE(plan.needs_contact_forces);
}

TEST_F(MjcfDefinitionTest, NamesMissingAndUnknownKeys) {
  expect_usage_error([&] { read_mjcf_definition((folder_ / "absent.json").string(), "x"); },
                     {"absent.json"});
  expect_refused("{", {"mine.json", "line 1"});
  expect_refused("[]", {"mine.json: must be an object"});
  expect_refused("{}", {"mine.json: lacks the field \"model\""});
  expect_refused(R"({"model": "hopper.xml"})", {"lacks the field \"observation\""});
  expect_refused(R"({"model": "hopper.xml", "observation": [{"of": "qpos"}]})",
                 {"mine.json", "\"reward\"", "\"cost\""});
  expect_refused_with("/frameskip", "4", {"mine.json: frameskip", "\"frame_skip\"?"});
  expect_refused_with("/observation/0/clips", "[0, 1]", {"observation[0].clips", "\"clip\""});
  expect_refused_with("/reward/1/of", "\"qpos\"", {"reward[1].of is no known key"});
  expect_refused_with("/reset/qposs", "[]", {"reset.qposs", "\"qpos\""});
}

TEST_F(MjcfDefinitionTest, NamesTheModelThatCannotBeUsed) {
  expect_refused_with("/model", "\"hoper.xml\"",
                      {"mine.json: model is \"hoper.xml\"", "did you mean \"hopper.xml\"?"});
  expect_refused_with("/model", "\"\"", {"model is \"\""});
  put_file(folder_ / "broken.xml", "<mujoco><worldbody><geom type=\"cube\"/></worldbody></mujoco>");
  expect_refused_with("/model", "\"broken.xml\"",
                      {"mine.json: model does not parse", "broken.xml", "cube"});
  put_file(folder_ / "still.xml", "<mujoco><worldbody/></mujoco>");
  expect_refused_with("/model", "\"still.xml\"", {"\"still.xml\"", "no actuators"});
  put_file(folder_ / "open.xml", R"(<mujoco><worldbody><body><joint name="j" type="slide"/>
    <geom size="1"/></body></worldbody><actuator><motor name="push" joint="j"/></actuator></mujoco>)");
  expect_refused_with("/model", "\"open.xml\"", {"actuator 0 (push)", "ctrlrange"});
}

TEST_F(MjcfDefinitionTest, LocatesValuesThatDoNotFit) {
  expect_refused_with("/frame_skip", "0", {"frame_skip must be a whole number of at least 1"});
  expect_refused_with("/max_episode_steps", "1.5", {"max_episode_steps must be"});
  expect_refused_with("/observation", "[]", {"observation must be", "at least one part"});
  expect_refused_with("/observation/0/of", "\"qpos[1:9]\"", {"observation[0].of", "0 to 5"});
  expect_refused_with("/observation/1/clip", "[1, -1]", {"observation[1].clip", "low <= high"});
  expect_refused_with("/observation/1/clip", "[1, \"x\"]", {"observation[1].clip[1]", "a number"});
  expect_refused_with("/terminate_when_unhealthy", "1", {"must be true or false, not 1"});
  expect_refused_with("/healthy/0", R"({"of": "qpos"})", {"healthy[0] must be", "above"});
  expect_refused_with("/healthy/0", R"({"of": "qpos", "above": 1, "below": 1})",
                      {"healthy[0]", "holds a number"});
}

TEST_F(MjcfDefinitionTest, LocatesWrongRewardTerms) {
  expect_refused_with("/reward/0/kind", "\"velocty\"", {"reward[0].kind", "\"velocity\"?"});
  expect_refused_with("/reward/0/of", "\"qvel\"", {"reward[0].of", "single number", "6 were"});
  expect_refused_with("/reward/0", R"({"kind": "distance", "of": "xpos[torso]"})",
                      {"reward[0] lacks the field \"to\""});
  expect_refused_with("/reward/0",
                      R"({"kind": "distance", "of": "xpos[torso]", "to": "xpos[foot][0]"})",
                      {"reward[0].to", "1 and 3 were selected"});
  expect_refused_with("/reward/0", R"({"kind": "value", "of": "qpos[0]", "when": "befor"})",
                      {"reward[0].when", "\"before\"?"});
  expect_refused_with("/cost/0/weight", "\"1\"", {"cost[0].weight must be a number"});
}

TEST_F(MjcfDefinitionTest, LocatesWrongStarts) {
  expect_refused_with("/reset/qpos", "[1, 2]", {"reset.qpos", "array of 6 numbers"});
  expect_refused_with("/reset/noise/0/of", "\"xpos[torso]\"", {"noise[0].of", "qpos or qvel"});
  expect_refused_with("/reset/noise/0/normal", "1", {"noise[0]", "one of uniform and normal"});
  expect_refused_with("/reset/noise/0", R"({"of": "qpos", "normal": -1})",
                      {"noise[0].normal", "at least 0"});
  expect_refused_with("/reset/noise/0/uniform", "[1]", {"noise[0].uniform", "[low, high]"});
}

TEST(MjcfIdTest, NamesTheDefinition) {
  EXPECT_EQ(mjcf_definition("mjcf:a/b:c.json"), "a/b:c.json");
  EXPECT_EQ(mjcf_definition("mjcf"), "");
  EXPECT_EQ(mjcf_definition("Hopper-v4"), "");
  expect_usage_error([] { make_environment("mjcf"); }, {"mjcf", "env.definition"});
  expect_usage_error([] { make_environment("mjcf:"); }, {"mjcf", "env.definition"});
  EXPECT_TRUE(environment_options("mjcf:mine.json").empty());
  expect_usage_error(
      [] {
        make_environment("mjcf:mine.json", {{"frame_skip", {1.0}}});
      },
      {"mjcf:mine.json", "no options"});
}

}  // namespace
}  // namespace lpdm
