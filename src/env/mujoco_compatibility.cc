#include "env/mujoco_compatibility.h"

#include <fmt/format.h>

#include <array>
#include <cstddef>

namespace lpdm {

namespace {

constexpr MujocoVersion kSliderWeights = {3, 0, 0};
constexpr MujocoVersion kQuaternions = {3, 2, 0};
constexpr MujocoVersion kNativeCollisions = {3, 3, 0};
constexpr MujocoVersion kSummedMargins = {3, 5, 0};
constexpr MujocoVersion kManyContacts = {3, 8, 0};
constexpr MujocoVersion kFreeJoint = {4, 0, 0};

constexpr std::array<PhysicsDifference, 7> kDifferences = {{
    {{2, 3, 8},
     "",
     false,
     "rounding: the last bits of a step, which grow with the chaos of the motion"},
    {kSliderWeights, "Pusher", true,
     "bodies that only slide lose the armature in their inverse weight"},
    {kQuaternions, "Ant", true, "the reset leaves the quaternion unnormalised"},
    {kNativeCollisions, "Pusher", true, "another algorithm for contacts of convex shapes"},
    {kSummedMargins, "", true, "the margins of two geoms are added, formerly the larger one"},
    {kManyContacts, "Pusher", true, "several contact points for each pair of convex shapes"},
    {kFreeJoint, "Ant", false,
     "RK4 integrates free joints differently: another trajectory from the first steps on"},
}};

constexpr bool at_least(MujocoVersion version) { return kMujocoVersion >= version; }

// The first of two sliding degrees of freedom that are all that a body has; -1 if it has others.
int planar_slider(const mjModel& model, int body) {
  const int first = model.body_dofadr[body];
  if (model.body_dofnum[body] != 2) return -1;
  for (int dof = first; dof < first + 2; ++dof) {
    if (model.jnt_type[model.dof_jntid[dof]] != mjJNT_SLIDE) return -1;
  }
  return first;
}

// Of a planar slider, as 2.3.7 computes it.
mjtNum inverse_weight(const mjModel& model, int body) {
  return 1 / (model.dof_armature[model.body_dofadr[body]] + model.body_mass[body]);
}

// Switches a part of the engine off, if this version knows it by that name.
void disable(mjModel& model, std::string_view part) {
  for (int bit = 0; bit < mjNDISABLE; ++bit) {
    if (mjDISABLESTRING[bit] == part) model.opt.disableflags |= 1 << bit;
  }
}

[[maybe_unused]] void restore_slider_weights(mjModel& model) {
  for (int body = 1; body < model.nbody; ++body) {
    const int first = planar_slider(model, body);
    if (first < 0) continue;
    const mjtNum inverse = inverse_weight(model, body);
    for (int dof = first; dof < first + 2; ++dof) model.dof_invweight0[dof] = inverse;
    mjtNum* body_inverse = model.body_invweight0 + std::ptrdiff_t{2} * body;
    body_inverse[0] = 2 * inverse / 3;  // translation
    body_inverse[1] = 0;                // rotation
  }
}

}  // namespace

std::vector<PhysicsDifference> physics_differences(MujocoVersion version) {
  std::vector<PhysicsDifference> present;
  for (const PhysicsDifference& difference : kDifferences) {
    if (version >= difference.since) present.push_back(difference);
  }
  return present;
}

void approach_mujoco_2_3_7(mjModel& model) {
  if constexpr (at_least(kSliderWeights)) restore_slider_weights(model);
  disable(model, "NativeCCD");
  disable(model, "MultiCCD");
  if constexpr (at_least(kSummedMargins)) {  // all geoms of one model have the same margin
    for (int geom = 0; geom < model.ngeom; ++geom) model.geom_margin[geom] *= 0.5;
  }
}

std::optional<std::string> pusher_v4_refusal(const mjModel& model) {
  constexpr mjtNum kTolerance = 10.0;  // the error it is about is a factor of a million
  for (int body = 1; body < model.nbody; ++body) {
    if (planar_slider(model, body) < 0) continue;
    const mjtNum weight = model.body_invweight0[std::ptrdiff_t{2} * body];
    const mjtNum expected = 2 * inverse_weight(model, body) / 3;
    if (weight <= kTolerance * expected) continue;
    return fmt::format(
        "Pusher-v4 does not run on MuJoCo {} as it is: the inverse weight of body {} is {:.3g} "
        "instead of {:.3g}, so that the arm would pass through it; use MuJoCo 2.3.7, or Pusher-v5",
        mj_versionString(), mj_id2name(&model, mjOBJ_BODY, body), weight, expected);
  }
  return std::nullopt;
}

void normalize_quaternions(const mjModel& model, mjtNum* qpos) {
  if constexpr (at_least(kQuaternions)) mj_normalizeQuat(&model, qpos);
}

}  // namespace lpdm
