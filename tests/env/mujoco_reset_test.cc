// A reset by copy and the first step after it are those of mj_resetData, mj_forward and mj_step.
#include <gtest/gtest.h>
#include <mujoco/mujoco.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "env/mujoco_model.h"
#include "env/pristine_data.h"
#include "lpdm/environment.h"

namespace lpdm {
namespace {

using Data = std::unique_ptr<mjData, decltype(&mj_deleteData)>;

Data make_data(const mjModel& model) { return Data(mj_makeData(&model), mj_deleteData); }

// An action that differs from step to step and reaches the ends of the range and beyond.
std::vector<float> action_of(const EnvironmentSpec& spec, int step) {
  std::vector<float> action;
  for (std::int64_t i = 0; i < spec.action.size; ++i) {
    const auto phase = static_cast<float>(step * 7 + i * 3 + 1);
    action.push_back(1.3F * spec.action.high[static_cast<std::size_t>(i)] * std::sin(phase));
  }
  return action;
}

class MujocoReset : public testing::TestWithParam<std::string> {};

TEST_P(MujocoReset, EpisodesAreThoseOfMujocosOwnResetAndStep) {
  const std::unique_ptr<Environment> environment = make_environment(GetParam());
  const EnvironmentSpec& spec = environment->spec();
  const std::shared_ptr<const mjModel> model = load_model(spec.model);
  const Data data = make_data(*model);
  const auto frames = static_cast<int>(std::lround(spec.dt / model->opt.timestep));
  for (std::uint32_t episode = 0; episode < 3; ++episode) {
    RandomStream random(5, {StreamPurpose::kEnvironmentReset, 0, episode, 0});
    environment->reset(random);
    const EnvironmentState start = environment->state();
    environment->set_state(start);  // a quaternion is normalised once more, as it is below
    mj_resetData(model.get(), data.get());
    std::ranges::copy(start.at("qpos"), data->qpos);
    std::ranges::copy(start.at("qvel"), data->qvel);
    mj_forward(model.get(), data.get());
    for (int step = 0; step < 12; ++step) {
      const std::vector<float> action = action_of(spec, step);
      environment->step(action);
      std::ranges::copy(action, data->ctrl);
      for (int frame = 0; frame < frames; ++frame) mj_step(model.get(), data.get());
      const EnvironmentState state = environment->state();
      ASSERT_TRUE(std::ranges::equal(state.at("qpos"),
                                     std::span(data->qpos, static_cast<std::size_t>(model->nq))))
          << "episode " << episode << ", step " << step;
      ASSERT_TRUE(std::ranges::equal(state.at("qvel"),
                                     std::span(data->qvel, static_cast<std::size_t>(model->nv))))
          << "episode " << episode << ", step " << step;
    }
  }
}

TEST_P(MujocoReset, ARestoredSimulationEqualsAFreshOne) {
  const std::shared_ptr<const mjModel> model =
      load_model(make_environment(GetParam())->spec().model);
  const Data used = make_data(*model);
  const PristineData pristine(*model, *used);
  std::fill_n(used->ctrl, model->nu, 0.9);
  for (int step = 0; step < 40; ++step) mj_step(model.get(), used.get());
  mj_rnePostConstraint(model.get(), used.get());
  ASSERT_GT(used->time, 0.0);
  pristine.restore(*model, *used);
  const Data fresh = make_data(*model);
  ASSERT_EQ(used->nbuffer, fresh->nbuffer);
  EXPECT_TRUE(std::equal(static_cast<const char*>(used->buffer),
                         static_cast<const char*>(used->buffer) + used->nbuffer,
                         static_cast<const char*>(fresh->buffer)));
  EXPECT_EQ(used->time, 0.0);
  EXPECT_EQ(used->ncon, 0);
  EXPECT_EQ(used->nefc, 0);
  EXPECT_EQ(used->parena, fresh->parena);
}

INSTANTIATE_TEST_SUITE_P(All, MujocoReset,
                         testing::Values("InvertedPendulum-v4", "Pusher-v4", "Hopper-v4",
                                         "Walker2d-v4", "HalfCheetah-v4", "Ant-v4", "Ant-v5"),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::erase(name, '-');
                           return name;
                         });

}  // namespace
}  // namespace lpdm
