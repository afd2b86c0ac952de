// What makes a newer MuJoCo behave like 2.3.7, on which Gymnasium's v4 results are exact.
#pragma once

#include <mujoco/mujoco.h>

namespace lpdm {

// Undoes, for Gymnasium's models, the changes of later versions that can be undone in the model.
// Does nothing under 2.3.7.
void approach_mujoco_2_3_7(mjModel& model);

// Normalises the quaternions inside qpos, which MuJoCo does by itself before 3.2.
void normalize_quaternions(const mjModel& model, mjtNum* qpos);

}  // namespace lpdm
