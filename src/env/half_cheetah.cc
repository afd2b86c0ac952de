// HalfCheetah: a two-legged robot in a vertical plane that runs forward.
//
//   observation  qpos without its first entry (unless exclude_current_positions_from_observation is
//                off), qvel
//   action       6 torques within +-1, gears 120, 90, 60, 120, 60, 30
//   reward       forward_reward_weight * x' - ctrl_cost_weight * sum a^2, where x' is the change of
//                qpos[0] over dt
//   terminated   never
//   reset        qpos U(-s, s), qvel s * N(0, 1) per coordinate, s = reset_noise_scale
//   v5           the same

#include "env/environment_entry.h"
#include "env/mujoco_environment.h"
#include "env/numpy_sum.h"
#include "env/observed_by.h"

namespace lpdm {

namespace {

constexpr std::int64_t kFrameSkip = 5;

struct Parameters {
  std::int64_t frame_skip;
  double forward_reward_weight;
  double ctrl_cost_weight;
  double reset_noise_scale;
  std::size_t hidden_positions;  // leading entries of qpos that are not observed
};

class HalfCheetah final : public ObservedBy<HalfCheetah, MujocoEnvironment> {
 public:
  HalfCheetah(const std::string& id, const Parameters& parameters)
      : ObservedBy(MujocoSetup{.id = id,
                               .model = "half_cheetah.xml",
                               .size = {.nq = 9, .nv = 9, .nu = 6},
                               .frame_skip = parameters.frame_skip,
                               .reward_threshold = 4800.0,
                               .step_cost = 25e-6}),
        parameters_(parameters) {
    set_observation_size(model().nq + model().nv -
                         static_cast<std::int64_t>(parameters.hidden_positions));
  }

  void reset(RandomStream& random) override {
    start_near_rest(random, parameters_.reset_noise_scale, VelocityNoise::kNormal);
  }

  StepResult step(std::span<const float> action) override {
    const double x_before = qpos()[0];
    simulate(action);
    const double x_velocity = (qpos()[0] - x_before) / spec().dt;
    const double cost = control_cost(parameters_.ctrl_cost_weight, action);
    return {parameters_.forward_reward_weight * x_velocity - cost, false};
  }

 private:
  friend class ObservedBy<HalfCheetah, MujocoEnvironment>;

  template <typename T>
  void write_observation(std::span<T> out) const {
    ObservationWriter<T> writer(out);
    writer.copy(qpos().subspan(parameters_.hidden_positions));
    writer.copy(qvel());
  }

  Parameters parameters_;
};

EnvironmentEntry entry(const std::string& id, int version) {
  std::vector<EnvironmentOption> options = {
      number_option("forward_reward_weight", 1.0), number_option("ctrl_cost_weight", 0.1),
      number_option("reset_noise_scale", 0.1),
      flag_option("exclude_current_positions_from_observation", true)};
  if (version == 5) options.insert(options.begin(), count_option("frame_skip", kFrameSkip));
  return {id, std::move(options), [=](const OptionValues& values) {
            return std::make_unique<HalfCheetah>(
                id, Parameters{
                        .frame_skip = version == 5 ? values.count("frame_skip") : kFrameSkip,
                        .forward_reward_weight = values.number("forward_reward_weight"),
                        .ctrl_cost_weight = values.number("ctrl_cost_weight"),
                        .reset_noise_scale = values.number("reset_noise_scale"),
                        .hidden_positions =
                            values.flag("exclude_current_positions_from_observation") ? 1U : 0U});
          }};
}

}  // namespace

std::vector<EnvironmentEntry> half_cheetah_entries() {
  return {entry("HalfCheetah-v4", 4), entry("HalfCheetah-v5", 5)};
}

}  // namespace lpdm
