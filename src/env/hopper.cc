// Hopper: a one-legged robot that hops forward (planar_walker.h has observation and reward).
//
//   action   3 torques within +-1, gear 200
//   healthy  qpos[2:] and qvel all within (-100, 100), qpos[1] > 0.7 m, -0.2 < qpos[2] < 0.2 rad
//   v5       healthy pay on healthy steps only; the same model

#include <limits>

#include "env/planar_walker.h"

namespace lpdm {

namespace {

EnvironmentEntry entry(const std::string& id, int version) {
  return planar_walker_entry({.id = id,
                              .model = "hopper.xml",
                              .size = {.nq = 6, .nv = 6, .nu = 3},
                              .frame_skip = 4,
                              .reward_threshold = 3800.0,
                              .step_cost = 40e-6},
                             version,
                             {.state = Range{-100.0, 100.0},
                              .z = {0.7, std::numeric_limits<double>::infinity()},
                              .angle = {-0.2, 0.2}});
}

}  // namespace

std::vector<EnvironmentEntry> hopper_entries() {
  return {entry("Hopper-v4", 4), entry("Hopper-v5", 5)};
}

}  // namespace lpdm
