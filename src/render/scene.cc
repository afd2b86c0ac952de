#include "render/scene.h"

#include <fmt/format.h>
#include <stdlib.h>
#include <unistd.h>

#include <array>
#include <cmath>
#include <filesystem>
#include <numbers>
#include <string>
#include <string_view>

#include "env/mujoco_environment.h"
#include "env/mujoco_model.h"
#include "io/files.h"
#include "lpdm/error.h"

namespace lpdm {
namespace {

// Light, sky and floor of all classic scenes, around what stands in them.
constexpr std::string_view kWorld = R"(<mujoco>
  <statistic center="0 0 {centre}" extent="{extent}"/>
  <visual>
    <headlight ambient=".35 .35 .35" diffuse=".35 .35 .35" specular="0 0 0"/>
    <map znear=".02" shadowclip="1.2"/>
  </visual>
  <asset>
    <texture type="skybox" builtin="gradient" rgb1=".86 .91 .96" rgb2=".42 .56 .72"
             width="256" height="256"/>
    <texture name="floor" type="2d" builtin="checker" rgb1=".80 .82 .84" rgb2=".74 .76 .79"
             width="256" height="256"/>
    <material name="floor" texture="floor" texrepeat="24 24"/>
    <material name="steel" rgba=".30 .34 .40 1" specular=".6" shininess=".6"/>
    <material name="body" rgba=".16 .38 .62 1" specular=".4" shininess=".5"/>
    <material name="rod" rgba=".86 .52 .20 1" specular=".4" shininess=".5"/>
    <material name="mark" rgba=".75 .18 .18 1"/>
  </asset>
  <worldbody>
    <light pos="-2 -4 7" dir=".25 .5 -1" directional="true" diffuse=".55 .55 .55"/>
    <geom type="plane" size="12 12 .1" material="floor"/>
    {content}
  </worldbody>
</mujoco>
)";

// A cart on a rail from -2.4 to 2.4 m, whose pole is 1 m long.
constexpr std::string_view kCartPole = R"(
    <geom type="capsule" fromto="-2.6 0 .8 2.6 0 .8" size=".025" material="steel"/>
    <geom type="box" pos="-2.4 0 .8" size=".012 .06 .09" material="mark"/>
    <geom type="box" pos="2.4 0 .8" size=".012 .06 .09" material="mark"/>
    <geom type="cylinder" pos="-2.6 0 .4" size=".035 .4" material="steel"/>
    <geom type="cylinder" pos="2.6 0 .4" size=".035 .4" material="steel"/>
    <body pos="0 0 .8">
      <joint type="slide" axis="1 0 0" range="-3 3" limited="true"/>
      <geom type="box" size=".22 .13 .11" material="body"/>
      <body pos="0 -.16 .06">
        <joint type="hinge" axis="0 1 0"/>
        <geom type="cylinder" fromto="0 .03 0 0 -.03 0" size=".05" material="steel"/>
        <geom type="capsule" fromto="0 0 0 0 0 1" size=".035" material="rod"/>
      </body>
    </body>)";

// Two links of 1 m that hang from a pivot; the tip is to get above the mark.
constexpr std::string_view kAcrobot = R"(
    <geom type="cylinder" fromto="0 .25 0 0 .25 2.4" size=".05" material="steel"/>
    <geom type="cylinder" fromto="0 .25 2.4 0 -.1 2.4" size=".06" material="steel"/>
    <geom type="capsule" fromto="-2.1 .3 3.4 2.1 .3 3.4" size=".012" material="mark"/>
    <body pos="0 0 2.4">
      <joint type="hinge" axis="0 -1 0"/>
      <geom type="capsule" fromto="0 0 0 0 0 -1" size=".07" material="body"/>
      <body pos="0 -.15 -1">
        <joint type="hinge" axis="0 -1 0"/>
        <geom type="cylinder" fromto="0 .2 0 0 -.09 0" size=".055" material="steel"/>
        <geom type="capsule" fromto="0 0 0 0 0 -1" size=".06" material="rod"/>
      </body>
    </body>)";

// An angle (or a position below 3 m) without the whole turns between it and the one before.
double unwrapped(double value, double before) {
  constexpr double kTurn = 2.0 * std::numbers::pi;
  return value + kTurn * std::round((before - value) / kTurn);
}

std::vector<double> classic_pose(const EnvironmentState& state, const std::vector<double>& before,
                                 std::array<std::size_t, 2> joints) {
  std::vector<double> pose;
  for (const std::size_t joint : joints) {
    const double value = state.at("state")[joint];
    pose.push_back(before.empty() ? value : unwrapped(value, before[pose.size()]));
  }
  return pose;
}

// MuJoCo reads models from files only, in all its versions alike.
std::shared_ptr<const mjModel> model_from_text(const std::string& text) {
  std::string folder = (std::filesystem::temp_directory_path() / "lpdm-scene-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) {
    throw IoError(fmt::format(
        "there is no folder for temporary files at \"{}\", set TMPDIR to one that can be written",
        folder));
  }
  const std::filesystem::path path = std::filesystem::path(folder) / "scene.xml";
  std::shared_ptr<const mjModel> model;
  std::error_code ignored;
  try {
    write_file(path, text);
    model = load_model_file(path.string(), Physics::kOwn);
  } catch (...) {
    std::filesystem::remove_all(folder, ignored);
    throw;
  }
  std::filesystem::remove_all(folder, ignored);
  return model;
}

std::shared_ptr<const mjModel> classic_model(std::string_view content, double centre,
                                             double extent) {
  return model_from_text(fmt::format(fmt::runtime(kWorld), fmt::arg("content", content),
                                     fmt::arg("centre", centre), fmt::arg("extent", extent)));
}

}  // namespace

Scene scene_of(const Environment& environment) {
  if (const auto* simulated = dynamic_cast<const MujocoEnvironment*>(&environment)) {
    return {simulated->shared_model(), [](const EnvironmentState& state,
                                          const std::vector<double>&) { return state.at("qpos"); }};
  }
  const std::string& id = environment.spec().id;
  if (id.starts_with("CartPole")) {
    return {classic_model(kCartPole, 1.05, 4.6),
            [](const EnvironmentState& state, const std::vector<double>& before) {
              return classic_pose(state, before, {0, 2});  // position of the cart, pole's angle
            }};
  }
  if (id.starts_with("Acrobot")) {
    return {classic_model(kAcrobot, 2.2, 5.6),
            [](const EnvironmentState& state, const std::vector<double>& before) {
              return classic_pose(state, before, {0, 1});
            }};
  }
  throw UsageError(
      fmt::format("there is no picture of {}; play it without --video, or give it one in "
                  "src/render/scene.cc",
                  id));
}

}  // namespace lpdm
