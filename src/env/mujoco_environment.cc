#include "env/mujoco_environment.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <utility>

#include "env/mujoco_compatibility.h"
#include "env/mujoco_model.h"
#include "env/set_state.h"
#include "lpdm/error.h"

namespace lpdm {

namespace {

std::shared_ptr<const mjModel> load_checked(const MujocoSetup& setup) {
  std::shared_ptr<const mjModel> model = load_model(setup.model);
  const ModelSize size{.nq = model->nq, .nv = model->nv, .nu = model->nu};
  if (size == setup.size) return model;
  throw UsageError(
      fmt::format("the model file {} of {} in {} has nq, nv, nu = {}, {}, {} instead of {}, {}, "
                  "{}: use the one "
                  "that comes with Gymnasium",
                  setup.model, setup.id, model_directory(), size.nq, size.nv, size.nu,
                  setup.size.nq, setup.size.nv, setup.size.nu));
}

EnvironmentSpec make_spec(const MujocoSetup& setup, const mjModel& model) {
  EnvironmentSpec spec;
  spec.id = setup.id;
  spec.action.discrete = false;
  spec.action.size = model.nu;
  for (int actuator = 0; actuator < model.nu; ++actuator) {
    const mjtNum* range = model.actuator_ctrlrange + std::ptrdiff_t{2} * actuator;
    spec.action.low.push_back(static_cast<float>(range[0]));
    spec.action.high.push_back(static_cast<float>(range[1]));
  }
  spec.max_episode_steps = setup.max_episode_steps;
  spec.reward_threshold = setup.reward_threshold;
  spec.dt = model.opt.timestep * static_cast<double>(setup.frame_skip);
  spec.step_cost = setup.step_cost;
  spec.model = setup.model;
  return spec;
}

}  // namespace

MujocoEnvironment::MujocoEnvironment(const MujocoSetup& setup)
    : MujocoEnvironment(setup, load_checked(setup)) {}

MujocoEnvironment::MujocoEnvironment(const MujocoSetup& setup, std::shared_ptr<const mjModel> model)
    : frame_skip_(setup.frame_skip), model_(std::move(model)) {
  data_.reset(mj_makeData(model_.get()));
  if (!data_) throw Error(fmt::format("no memory for the simulation data of {}", setup.id));
  pristine_.emplace(*model_, *data_);
  spec_ = make_spec(setup, *model_);
}

void MujocoEnvironment::set_observation_size(std::int64_t size) {
  spec_.observation_size = size;
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  spec_.observation_low.assign(static_cast<std::size_t>(size), -kInfinity);
  spec_.observation_high.assign(static_cast<std::size_t>(size), kInfinity);
}

int MujocoEnvironment::body_index(const std::string& name) const {
  const int body = mj_name2id(model_.get(), mjOBJ_BODY, name.c_str());
  if (body < 0) {
    throw Error(fmt::format("the model {} of {} has no body {}: use Gymnasium's file", spec_.model,
                            spec_.id, name));
  }
  return body;
}

void MujocoEnvironment::evaluate() {
  normalize_quaternions(*model_, data_->qpos);
  mj_forward(model_.get(), data_.get());
  evaluated_ = true;
}

void MujocoEnvironment::start(std::span<const double> qpos, std::span<const double> qvel) {
  pristine_->restore(*model_, *data_);
  std::ranges::copy(qpos, data_->qpos);
  std::ranges::copy(qvel, data_->qvel);
  evaluate();
}

void MujocoEnvironment::start_near_rest(RandomStream& random, double scale,
                                        VelocityNoise velocity_noise) {
  pristine_->restore(*model_, *data_);
  for (int i = 0; i < model_->nq; ++i) data_->qpos[i] += random.uniform(-scale, scale);
  for (int i = 0; i < model_->nv; ++i) {
    data_->qvel[i] = velocity_noise == VelocityNoise::kNormal ? scale * random.normal()
                                                              : random.uniform(-scale, scale);
  }
  evaluate();
}

void MujocoEnvironment::set_state(const EnvironmentState& state) {
  start(state_part(spec_.id, state, "qpos", static_cast<std::size_t>(model_->nq)),
        state_part(spec_.id, state, "qvel", static_cast<std::size_t>(model_->nv)));
}

EnvironmentState MujocoEnvironment::state() const {
  const std::span<const double> position = qpos();
  const std::span<const double> velocity = qvel();
  return {{"qpos", {position.begin(), position.end()}},
          {"qvel", {velocity.begin(), velocity.end()}}};
}

// MuJoCo notes numbers beyond mjMAXVAL (or NaN) in its state, resets the simulation by itself and
// goes on; the counters are all that tells. What it has not looked at yet is the newest state.
bool MujocoEnvironment::diverged() const {
  for (const int warning :
       {mjWARN_INERTIA, mjWARN_BADQPOS, mjWARN_BADQVEL, mjWARN_BADQACC, mjWARN_BADCTRL}) {
    if (data_->warning[warning].number > 0) return true;
  }
  const auto good = [](double value) { return std::abs(value) <= mjMAXVAL; };
  return !std::ranges::all_of(qpos(), good) || !std::ranges::all_of(qvel(), good);
}

// The same as mj_step, bit for bit: what depends on position and velocity alone is not evaluated
// again after a reset, only what depends on the control too. Where there are quaternions it is, as
// every evaluation normalises them anew.
void MujocoEnvironment::first_step() {
  const mjModel* model = model_.get();
  mjData* data = data_.get();
  const int integrator = model->opt.integrator;
  const bool quaternions = model->nq != model->nv;
  if (quaternions || (integrator != mjINT_EULER && integrator != mjINT_RK4) || diverged()) {
    mj_step(model, data);
    return;
  }
  mj_forwardSkip(model, data, mjSTAGE_VEL, 0);
  mj_checkAcc(model, data);
  if (integrator == mjINT_RK4) {
    mj_RungeKutta(model, data, 4);
  } else {
    mj_Euler(model, data);
  }
}

void MujocoEnvironment::simulate(std::span<const float> action) {
  std::ranges::copy(action, data_->ctrl);
  std::int64_t step = 0;
  if (std::exchange(evaluated_, false)) {
    first_step();
    ++step;
  }
  for (; step < frame_skip_; ++step) mj_step(model_.get(), data_.get());
}

}  // namespace lpdm
