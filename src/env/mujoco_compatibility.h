// What makes a newer MuJoCo behave like 2.3.7, on which Gymnasium's v4 results are exact, and what
// cannot be made so.
#pragma once

#include <mujoco/mujoco.h>

#include <compare>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lpdm {

struct MujocoVersion {
  int major = 0;
  int minor = 0;
  int patch = 0;

  auto operator<=>(const MujocoVersion&) const = default;
};

// From the number in MuJoCo's headers: 237 is 2.3.7, 3015000 is 3.15.0.
constexpr MujocoVersion mujoco_version(int header) {
  if (header < 1000) return {header / 100, header / 10 % 10, header % 10};
  return {header / 1000000, header / 1000 % 1000, header % 1000};
}

// The version that this was built for; load_model refuses a library of another one.
inline constexpr MujocoVersion kMujocoVersion = mujoco_version(mjVERSION_HEADER);

// A change since 2.3.7 that shows in Gymnasium's environments.
struct PhysicsDifference {
  MujocoVersion since;
  std::string_view environment;  // "Pusher": all its versions; "" for all environments
  bool restored = false;         // by approach_mujoco_2_3_7 or normalize_quaternions
  std::string_view what;
};

// Those that `version` has, oldest first.
std::vector<PhysicsDifference> physics_differences(MujocoVersion version);

// Undoes, for Gymnasium's models, the changes of later versions that can be undone in the model.
// Does nothing under 2.3.7.
void approach_mujoco_2_3_7(mjModel& model);

// Why Pusher-v4 must not run on this model of it: contacts with the object that are millions of
// times too soft, as MuJoCo 3 has them where it is not corrected. None if they are as in 2.3.7.
std::optional<std::string> pusher_v4_refusal(const mjModel& model);

// Normalises the quaternions inside qpos, which MuJoCo does by itself before 3.2.
void normalize_quaternions(const mjModel& model, mjtNum* qpos);

}  // namespace lpdm
