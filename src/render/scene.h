// What an environment looks like: a MuJoCo model to be drawn, and how its joints stand.
#pragma once

#include <mujoco/mujoco.h>

#include <memory>
#include <vector>

#include "lpdm/environment.h"

namespace lpdm {

struct Scene {
  std::shared_ptr<const mjModel> model;

  // The positions (nq) of the model's joints in a state of the environment. before: those of the
  // step before, empty at a start; angles go on from there instead of jumping by a turn.
  std::vector<double> (*pose)(const EnvironmentState& state, const std::vector<double>& before);
};

// An environment of MuJoCo's shows its own model; the classic ones have one here for their looks
// alone. Throws UsageError if there is no picture of the environment.
Scene scene_of(const Environment& environment);

}  // namespace lpdm
