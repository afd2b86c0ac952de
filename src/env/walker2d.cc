// Walker2d: a two-legged robot that walks forward (planar_walker.h has observation and reward).
//
//   action   6 torques within +-1, gear 100
//   healthy  0.8 < qpos[1] < 2 m, -1 < qpos[2] < 1 rad
//   v5       healthy pay on healthy steps only; the right foot's friction is that of the left one

#include "env/planar_walker.h"

namespace lpdm {

namespace {

EnvironmentEntry entry(const std::string& id, const std::string& model, int version) {
  return planar_walker_entry({.id = id,
                              .model = model,
                              .size = {.nq = 9, .nv = 9, .nu = 6},
                              .frame_skip = 4,
                              .step_cost = 70e-6},
                             version,
                             {.state = std::nullopt, .z = {0.8, 2.0}, .angle = {-1.0, 1.0}});
}

}  // namespace

std::vector<EnvironmentEntry> walker2d_entries() {
  return {entry("Walker2d-v4", "walker2d.xml", 4), entry("Walker2d-v5", "walker2d_v5.xml", 5)};
}

}  // namespace lpdm
