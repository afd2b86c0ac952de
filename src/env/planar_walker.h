// What Hopper and Walker2d share: a robot in a vertical plane that is paid for moving forward while
// it stays healthy.
//
//   observation  qpos without its first entry (unless exclude_current_positions_from_observation is
//                off), qvel clipped to [-10, 10]
//   reward       forward_reward_weight * x' + healthy pay - ctrl_cost_weight * sum a^2, where x' is
//                the change of qpos[0] over dt
//   healthy pay  v4: healthy_reward on every step while terminate_when_unhealthy is on, the
//                terminating step included; otherwise, and in v5, only if healthy
//   terminated   not healthy (with terminate_when_unhealthy)
//   reset        every coordinate of qpos and qvel + U(-s, s), s = reset_noise_scale
#pragma once

#include <optional>

#include "env/environment_entry.h"
#include "env/mujoco_environment.h"

namespace lpdm {

// All ranges are open, so that NaN is unhealthy.
struct PlanarWalkerHealth {
  std::optional<Range> state;  // of qpos from its third entry on and of every qvel, unclipped
  Range z;                     // [m], of qpos[1]
  Range angle;                 // [rad], of qpos[2]
};

// One version of a planar walker: 4 or 5 in the name of `setup.id`. setup.frame_skip and `health`
// are the defaults of its options.
EnvironmentEntry planar_walker_entry(const MujocoSetup& setup, int version,
                                     const PlanarWalkerHealth& health);

}  // namespace lpdm
