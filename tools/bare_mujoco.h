// The yardstick of a rollout: nothing but mj_step, on one mjData and one thread, along the very
// episodes that a RandomRollout plays from its start (to the rounding of Ant's first quaternion).
#pragma once

#include <mujoco/mujoco.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "random_rollout.h"

namespace lpdm {

class BareMujoco {
 public:
  // Plays `calls` steps of each of `envs` environments to learn where their episodes start and end.
  BareMujoco(const std::string& id, std::int64_t envs, std::int64_t calls);

  // Seconds that the calls of mj_step took, one environment after the other; resets are not
  // counted. Throws Error if one ends in another state than its environment.
  double run();

 private:
  struct Episode {
    std::vector<double> qpos;  // at its start
    std::vector<double> qvel;
    std::int64_t length = 0;
  };
  // What one environment does.
  struct Course {
    std::vector<Episode> episodes;
    std::vector<double> final_qpos;
  };
  struct DataDeleter {
    void operator()(mjData* data) const { mj_deleteData(data); }
  };

  double run(const Course& course, std::int64_t env);

  std::string id_;
  ActionTable actions_;
  std::shared_ptr<const mjModel> model_;
  std::unique_ptr<mjData, DataDeleter> data_;
  int frame_skip_;
  std::vector<Course> courses_;
};

}  // namespace lpdm
