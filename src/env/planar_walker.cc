#include "env/planar_walker.h"

#include "env/numpy_sum.h"
#include "env/observed_by.h"

namespace lpdm {

namespace {

constexpr Range kVelocityClip = {-10.0, 10.0};

struct Parameters {
  double forward_reward_weight;
  double ctrl_cost_weight;
  double healthy_reward;
  bool terminate_when_unhealthy;
  bool pays_terminating_step;
  PlanarWalkerHealth health;
  double reset_noise_scale;
  std::size_t hidden_positions;  // leading entries of qpos that are not observed
};

class PlanarWalker final : public ObservedBy<PlanarWalker, MujocoEnvironment> {
 public:
  PlanarWalker(const MujocoSetup& setup, const Parameters& parameters)
      : ObservedBy(setup), parameters_(parameters) {
    set_observation_size(model().nq + model().nv -
                         static_cast<std::int64_t>(parameters.hidden_positions));
  }

  void reset(RandomStream& random) override {
    start_near_rest(random, parameters_.reset_noise_scale, VelocityNoise::kUniform);
  }

  StepResult step(std::span<const float> action) override {
    const double x_before = qpos()[0];
    simulate(action);
    const double x_velocity = (qpos()[0] - x_before) / spec().dt;
    const bool is_healthy = healthy();
    const double pay =
        is_healthy || parameters_.pays_terminating_step ? parameters_.healthy_reward : 0.0;
    const double cost = control_cost(parameters_.ctrl_cost_weight, action);
    return {parameters_.forward_reward_weight * x_velocity + pay - cost,
            !is_healthy && parameters_.terminate_when_unhealthy};
  }

 private:
  friend class ObservedBy<PlanarWalker, MujocoEnvironment>;

  bool healthy() const {
    const PlanarWalkerHealth& health = parameters_.health;
    if (!within_open(qpos()[1], health.z) || !within_open(qpos()[2], health.angle)) return false;
    if (!health.state) return true;
    const auto within = [&](double value) { return within_open(value, *health.state); };
    return std::ranges::all_of(qpos().subspan(2), within) && std::ranges::all_of(qvel(), within);
  }

  template <typename T>
  void write_observation(std::span<T> out) const {
    ObservationWriter<T> writer(out);
    writer.copy(qpos().subspan(parameters_.hidden_positions));
    writer.clip(qvel(), kVelocityClip);
  }

  Parameters parameters_;
};

Parameters read_parameters(const OptionValues& options, int version, bool tests_state) {
  const bool terminates = options.flag("terminate_when_unhealthy");
  PlanarWalkerHealth health{.state = std::nullopt,
                            .z = options.range("healthy_z_range"),
                            .angle = options.range("healthy_angle_range")};
  if (tests_state) health.state = options.range("healthy_state_range");
  return {.forward_reward_weight = options.number("forward_reward_weight"),
          .ctrl_cost_weight = options.number("ctrl_cost_weight"),
          .healthy_reward = options.number("healthy_reward"),
          .terminate_when_unhealthy = terminates,
          .pays_terminating_step = version == 4 && terminates,
          .health = health,
          .reset_noise_scale = options.number("reset_noise_scale"),
          .hidden_positions = options.flag("exclude_current_positions_from_observation") ? 1U : 0U};
}

}  // namespace

EnvironmentEntry planar_walker_entry(const MujocoSetup& setup, int version,
                                     const PlanarWalkerHealth& health) {
  std::vector<EnvironmentOption> options = {
      number_option("forward_reward_weight", 1.0), number_option("ctrl_cost_weight", 1e-3),
      number_option("healthy_reward", 1.0), flag_option("terminate_when_unhealthy", true)};
  if (version == 5) options.insert(options.begin(), count_option("frame_skip", setup.frame_skip));
  if (health.state) options.push_back(range_option("healthy_state_range", *health.state));
  options.push_back(range_option("healthy_z_range", health.z));
  options.push_back(range_option("healthy_angle_range", health.angle));
  options.push_back(number_option("reset_noise_scale", 5e-3));
  options.push_back(flag_option("exclude_current_positions_from_observation", true));
  const bool tests_state = health.state.has_value();
  return {setup.id, std::move(options), [=](const OptionValues& values) {
            MujocoSetup chosen = setup;
            if (version == 5) chosen.frame_skip = values.count("frame_skip");
            return std::make_unique<PlanarWalker>(chosen,
                                                  read_parameters(values, version, tests_state));
          }};
}

}  // namespace lpdm
