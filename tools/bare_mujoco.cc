#include "bare_mujoco.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "bench_statistics.h"
#include "env/mujoco_model.h"
#include "lpdm/environment.h"
#include "lpdm/error.h"

namespace lpdm {

BareMujoco::BareMujoco(const std::string& id, std::int64_t envs, std::int64_t calls)
    : id_(id), actions_(make_environment(id)->spec().action, envs) {
  const std::unique_ptr<Environment> environment = make_environment(id);
  const EnvironmentSpec& spec = environment->spec();
  model_ = load_model(spec.model);
  data_.reset(mj_makeData(model_.get()));
  if (!data_) throw Error(fmt::format("no memory for the simulation data of {}", id));
  frame_skip_ = static_cast<int>(std::lround(spec.dt / model_->opt.timestep));
  for (std::int64_t e = 0; e < envs; ++e) {
    Course& course = courses_.emplace_back();
    for (std::int64_t step = 0; step < calls;) {
      RandomStream random = rollout_reset(e, static_cast<std::int64_t>(course.episodes.size()));
      environment->reset(random);
      EnvironmentState state = environment->state();
      environment->set_state(state);  // rounds a quaternion as run does
      Episode& episode = course.episodes.emplace_back(
          Episode{.qpos = state.at("qpos"), .qvel = state.at("qvel"), .length = 0});
      bool ended = false;
      while (!ended && step < calls) {
        ended = environment->step(actions_.at(step++, e)).terminated;
        ended |= ++episode.length >= spec.max_episode_steps;
      }
    }
    course.final_qpos = environment->state().at("qpos");
  }
}

double BareMujoco::run() {
  double seconds = 0.0;
  for (std::size_t e = 0; e < courses_.size(); ++e) {
    seconds += run(courses_[e], static_cast<std::int64_t>(e));
  }
  return seconds;
}

double BareMujoco::run(const Course& course, std::int64_t env) {
  const mjModel* model = model_.get();
  mjData* data = data_.get();
  std::int64_t step = 0;
  double seconds = 0.0;
  for (const Episode& episode : course.episodes) {
    mj_resetData(model, data);
    std::ranges::copy(episode.qpos, data->qpos);
    std::ranges::copy(episode.qvel, data->qvel);
    mj_forward(model, data);
    seconds += seconds_of([&] {
      for (const std::int64_t end = step + episode.length; step < end; ++step) {
        std::ranges::copy(actions_.at(step, env), data->ctrl);
        for (int i = 0; i < frame_skip_; ++i) mj_step(model, data);
      }
    });
  }
  if (!std::ranges::equal(course.final_qpos, std::span(data->qpos, course.final_qpos.size()))) {
    throw Error(fmt::format(
        "bench rollout: the bare loop ended in another state than environment {} of {}", env, id_));
  }
  return seconds;
}

}  // namespace lpdm
