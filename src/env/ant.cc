// Ant: a four-legged robot that runs forward.
//
//   observation  qpos without its first two entries (unless
//                exclude_current_positions_from_observation is off), qvel, and with contact forces
//                cfrc_ext clipped to contact_force_range, body by body (torque xyz, force xyz)
//   action       8 torques within +-1, gear 150, in the order hip_4, ankle_4, hip_1, ankle_1,
//   hip_2,
//                ankle_2, hip_3, ankle_3
//   reward       x' + healthy pay - ctrl_cost_weight * sum a^2 - contact cost, where x' is the
//                change of the torso's position over dt: its xpos, one evaluation behind qpos
//   contact cost contact_cost_weight * sum over all bodies of the clipped cfrc_ext squared
//   terminated   qpos or qvel not finite, or qpos[2] outside the closed healthy_z_range
//                (with terminate_when_unhealthy)
//   reset        qpos + U(-s, s) per coordinate, the quaternion's included, qvel s * N(0, 1),
//                s = reset_noise_scale
//   v4           contact forces are observed (all bodies) and paid for only with
//                use_contact_forces; healthy_reward on every step while terminate_when_unhealthy
//                is on, otherwise only if healthy
//   v5           contact forces are observed (all bodies but the world) with
//                include_cfrc_ext_in_observation and always paid for; healthy_reward only if
//                healthy; x' weighted by forward_reward_weight and taken from body main_body

#include <fmt/format.h>

#include <cmath>

#include "env/environment_entry.h"
#include "env/mujoco_environment.h"
#include "env/numpy_sum.h"
#include "env/observed_by.h"
#include "lpdm/error.h"

namespace lpdm {

namespace {

constexpr std::int64_t kFrameSkip = 5;
constexpr int kForceSize = 6;  // torque and force of one body

struct Parameters {
  std::int64_t frame_skip = kFrameSkip;
  double forward_reward_weight = 1.0;
  double ctrl_cost_weight;
  double contact_cost_weight;
  double healthy_reward;
  bool terminate_when_unhealthy;
  bool pays_terminating_step;
  Range healthy_z;  // [m], closed
  Range contact_force;
  double reset_noise_scale;
  std::size_t hidden_positions;  // leading entries of qpos that are not observed
  bool pays_for_contacts;
  bool observes_contacts;
  std::int64_t first_observed_body;
  std::int64_t main_body = 1;  // the torso
};

class Ant final : public ObservedBy<Ant, MujocoEnvironment> {
 public:
  Ant(const std::string& id, const Parameters& parameters)
      : ObservedBy(MujocoSetup{.id = id,
                               .model = "ant.xml",
                               .size = {.nq = 15, .nv = 14, .nu = 8},
                               .frame_skip = parameters.frame_skip,
                               .reward_threshold = 6000.0,
                               .step_cost = 170e-6}),
        parameters_(parameters),
        main_body_(static_cast<int>(parameters.main_body)) {
    if (main_body_ >= model().nbody) {
      throw UsageError(fmt::format("the option main_body of {} must be below {}, not {}", id,
                                   model().nbody, main_body_));
    }
    set_observation_size(static_cast<std::int64_t>(qpos().size() - parameters_.hidden_positions +
                                                   qvel().size() + observed_forces().size()));
  }

  void reset(RandomStream& random) override {
    start_near_rest(random, parameters_.reset_noise_scale, VelocityNoise::kNormal);
  }

  StepResult step(std::span<const float> action) override {
    const double x_before = body_position(main_body_)[0];
    simulate(action);
    if (parameters_.pays_for_contacts || parameters_.observes_contacts) compute_contact_forces();
    const double x_velocity = (body_position(main_body_)[0] - x_before) / spec().dt;
    const bool is_healthy = healthy();
    const double pay =
        is_healthy || parameters_.pays_terminating_step ? parameters_.healthy_reward : 0.0;
    double costs = control_cost(parameters_.ctrl_cost_weight, action);
    if (parameters_.pays_for_contacts) costs += contact_cost();
    return {parameters_.forward_reward_weight * x_velocity + pay - costs,
            !is_healthy && parameters_.terminate_when_unhealthy};
  }

 private:
  friend class ObservedBy<Ant, MujocoEnvironment>;

  bool healthy() const {
    const auto finite = [](double value) { return std::isfinite(value); };
    const double z = qpos()[2];
    return parameters_.healthy_z.low <= z && z <= parameters_.healthy_z.high &&
           std::ranges::all_of(qpos(), finite) && std::ranges::all_of(qvel(), finite);
  }

  // cfrc_ext, (bodies, 6) row by row.
  std::span<const double> contact_forces() const {
    return {data().cfrc_ext, static_cast<std::size_t>(model().nbody * kForceSize)};
  }

  std::span<const double> observed_forces() const {
    if (!parameters_.observes_contacts) return {};
    return contact_forces().subspan(
        static_cast<std::size_t>(parameters_.first_observed_body * kForceSize));
  }

  double contact_cost() const {
    const std::span<const double> forces = contact_forces();
    const Range range = parameters_.contact_force;
    return parameters_.contact_cost_weight * numpy_sum(forces.size(), [&](std::size_t i) {
             const double force = clip_to(range, forces[i]);
             return force * force;
           });
  }

  template <typename T>
  void write_observation(std::span<T> out) const {
    ObservationWriter<T> writer(out);
    writer.copy(qpos().subspan(parameters_.hidden_positions));
    writer.copy(qvel());
    writer.clip(observed_forces(), parameters_.contact_force);
  }

  Parameters parameters_;
  int main_body_;
};

// What v4 and v5 have in common.
Parameters read_parameters(const OptionValues& options) {
  Parameters parameters{};
  parameters.ctrl_cost_weight = options.number("ctrl_cost_weight");
  parameters.contact_cost_weight = options.number("contact_cost_weight");
  parameters.healthy_reward = options.number("healthy_reward");
  parameters.terminate_when_unhealthy = options.flag("terminate_when_unhealthy");
  parameters.healthy_z = options.range("healthy_z_range");
  parameters.contact_force = options.range("contact_force_range");
  parameters.reset_noise_scale = options.number("reset_noise_scale");
  parameters.hidden_positions =
      options.flag("exclude_current_positions_from_observation") ? 2U : 0U;
  return parameters;
}

std::unique_ptr<Environment> make_v4(const OptionValues& options) {
  Parameters parameters = read_parameters(options);
  parameters.pays_terminating_step = parameters.terminate_when_unhealthy;
  parameters.pays_for_contacts = options.flag("use_contact_forces");
  parameters.observes_contacts = parameters.pays_for_contacts;
  parameters.first_observed_body = 0;
  return std::make_unique<Ant>("Ant-v4", parameters);
}

std::unique_ptr<Environment> make_v5(const OptionValues& options) {
  Parameters parameters = read_parameters(options);
  parameters.frame_skip = options.count("frame_skip");
  parameters.forward_reward_weight = options.number("forward_reward_weight");
  parameters.main_body = options.count("main_body");
  parameters.pays_for_contacts = true;
  parameters.observes_contacts = options.flag("include_cfrc_ext_in_observation");
  parameters.first_observed_body = 1;
  return std::make_unique<Ant>("Ant-v5", parameters);
}

}  // namespace

std::vector<EnvironmentEntry> ant_entries() {
  const EnvironmentOption ctrl_cost_weight = number_option("ctrl_cost_weight", 0.5);
  const EnvironmentOption contact_cost_weight = number_option("contact_cost_weight", 5e-4);
  const EnvironmentOption healthy_reward = number_option("healthy_reward", 1.0);
  const EnvironmentOption terminates = flag_option("terminate_when_unhealthy", true);
  const EnvironmentOption healthy_z_range = range_option("healthy_z_range", {0.2, 1.0});
  const EnvironmentOption contact_force_range = range_option("contact_force_range", {-1.0, 1.0});
  const EnvironmentOption reset_noise_scale = number_option("reset_noise_scale", 0.1);
  const EnvironmentOption excludes_positions =
      flag_option("exclude_current_positions_from_observation", true);
  return {{"Ant-v4",
           {ctrl_cost_weight, flag_option("use_contact_forces", false), contact_cost_weight,
            healthy_reward, terminates, healthy_z_range, contact_force_range, reset_noise_scale,
            excludes_positions},
           make_v4},
          {"Ant-v5",
           {count_option("frame_skip", kFrameSkip), number_option("forward_reward_weight", 1.0),
            ctrl_cost_weight, contact_cost_weight, healthy_reward, count_option("main_body", 1),
            terminates, healthy_z_range, contact_force_range, reset_noise_scale, excludes_positions,
            flag_option("include_cfrc_ext_in_observation", true)},
           make_v5}};
}

}  // namespace lpdm
