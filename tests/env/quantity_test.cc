// Which numbers of the simulation a text selects.
#include "env/quantity.h"

#include <gtest/gtest.h>

#include "env/mujoco_model.h"
#include "io/usage_error.h"

namespace lpdm {
namespace {

Quantity read(const std::string& model, const std::string& text) {
  const Json json = text;
  return read_quantity({json, "my.json: observation[0].of"}, *load_model(model));
}

struct Selection {
  const char* model;
  const char* text;
  mjtNum* mjData::*array;
  std::size_t first;
  std::size_t count;
};

TEST(QuantityTest, SelectsByIndexSliceAndName) {
  const std::vector<Selection> selections = {
      {"hopper.xml", "qpos", &mjData::qpos, 0, 6},
      {"hopper.xml", "qpos[2]", &mjData::qpos, 2, 1},
      {"hopper.xml", "qpos[1:]", &mjData::qpos, 1, 5},
      {"hopper.xml", "qvel[:2]", &mjData::qvel, 0, 2},
      {"hopper.xml", "qvel[1:3]", &mjData::qvel, 1, 2},
      {"hopper.xml", "qvel[:]", &mjData::qvel, 0, 6},
      {"hopper.xml", "qpos[foot_joint]", &mjData::qpos, 5, 1},
      {"hopper.xml", "xpos[2]", &mjData::xpos, 6, 3},
      {"hopper.xml", "xpos[torso]", &mjData::xpos, 3, 3},
      {"hopper.xml", "xpos[torso][2]", &mjData::xpos, 5, 1},
      {"hopper.xml", "xpos[1][1:]", &mjData::xpos, 4, 2},
      {"hopper.xml", "ctrl", &mjData::ctrl, 0, 3},
      {"ant.xml", "qpos[root]", &mjData::qpos, 0, 7},
      {"ant.xml", "qpos[root][3:]", &mjData::qpos, 3, 4},
      {"ant.xml", "qvel[root]", &mjData::qvel, 0, 6},
      {"ant.xml", "qvel[hip_1]", &mjData::qvel, 6, 1},
      {"ant.xml", "cfrc_ext[1:]", &mjData::cfrc_ext, 6, 78},
  };
  for (const Selection& selection : selections) {
    SCOPED_TRACE(selection.text);
    const Quantity quantity = read(selection.model, selection.text);
    EXPECT_TRUE(quantity.array == selection.array);
    EXPECT_EQ(quantity.first, selection.first);
    EXPECT_EQ(quantity.count, selection.count);
    EXPECT_EQ(needs_contact_forces(quantity), selection.array == &mjData::cfrc_ext);
  }
}

TEST(QuantityTest, RefusalsNameTheTextAndTheNearestChoice) {
  const auto expect_refused = [](const std::string& text, const std::string& why) {
    SCOPED_TRACE(text);
    expect_usage_error([&] { read("hopper.xml", text); },
                       {"my.json: observation[0].of is \"" + text + "\"", why});
  };
  expect_refused("qpo[1:]", "did you mean \"qpos\"?");
  expect_refused("", "no quantity");
  expect_refused("qpos[6]", "entries 0 to 5");
  expect_refused("qpos[1:9]", "the whole is [0:6]");
  expect_refused("qpos[3:3]", "entries 0 to 5");
  expect_refused("qpos[99999999999999999999]", "entries 0 to 5");
  expect_refused("xpos[tors]", "no body tors, did you mean \"torso\"?");
  expect_refused("qpos[-1]", "no joint -1");
  expect_refused("xpos[torso][3]", "entries 0 to 2");
  expect_refused("xpos[torso][x]", "entry or a slice");
  expect_refused("xpos[1:][0]", "single row");
  expect_refused("sensordata", "no numbers of this model");
  expect_refused("sensordata[imu]", "this model names no sensor");
  expect_refused("qpos[1", "expected a quantity");
  expect_refused("qpos[]", "expected a quantity");
  expect_refused("qpos[1]x", "expected a quantity");
  expect_refused("xpos[1][1][1]", "expected a quantity");
  const Json number = 3;
  expect_usage_error(
      [&] {
        read_quantity({number, "my.json: of"}, *load_model("hopper.xml"));
      },
      {"my.json: of must be a text, not 3"});
}

}  // namespace
}  // namespace lpdm
