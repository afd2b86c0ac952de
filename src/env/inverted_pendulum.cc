// InvertedPendulum: balance a pole on a cart that a force moves along a rail.
//
//   observation  qpos (2), qvel (2)
//   reward       v4: 1 on every step, the terminating one included; v5: 0 on the terminating one
//   terminated   an observation is not finite, or |pole angle| > 0.2 rad
//   reset        every coordinate U(-s, s), s = 0.01 (v5: reset_noise_scale)

#include <cmath>

#include "env/environment_entry.h"
#include "env/mujoco_environment.h"
#include "env/observed_by.h"

namespace lpdm {

namespace {

constexpr double kMaxAngle = 0.2;  // [rad]
constexpr double kResetNoise = 0.01;
constexpr std::int64_t kFrameSkip = 2;

struct Parameters {
  std::int64_t frame_skip = kFrameSkip;
  double reset_noise_scale = kResetNoise;
  bool pays_terminating_step = true;
};

class InvertedPendulum final : public ObservedBy<InvertedPendulum, MujocoEnvironment> {
 public:
  InvertedPendulum(const std::string& id, const Parameters& parameters)
      : ObservedBy(MujocoSetup{.id = id,
                               .model = "inverted_pendulum.xml",
                               .size = {.nq = 2, .nv = 2, .nu = 1},
                               .frame_skip = parameters.frame_skip,
                               .reward_threshold = 950.0,
                               .step_cost = 9e-6}),
        parameters_(parameters) {
    set_observation_size(model().nq + model().nv);
  }

  void reset(RandomStream& random) override {
    start_near_rest(random, parameters_.reset_noise_scale, VelocityNoise::kUniform);
  }

  StepResult step(std::span<const float> action) override {
    simulate(action);
    const auto finite = [](double value) { return std::isfinite(value); };
    const bool terminated = !std::ranges::all_of(qpos(), finite) ||
                            !std::ranges::all_of(qvel(), finite) || std::abs(qpos()[1]) > kMaxAngle;
    return {terminated && !parameters_.pays_terminating_step ? 0.0 : 1.0, terminated};
  }

 private:
  friend class ObservedBy<InvertedPendulum, MujocoEnvironment>;

  template <typename T>
  void write_observation(std::span<T> out) const {
    ObservationWriter<T> writer(out);
    writer.copy(qpos());
    writer.copy(qvel());
  }

  Parameters parameters_;
};

}  // namespace

std::vector<EnvironmentEntry> inverted_pendulum_entries() {
  return {
      {"InvertedPendulum-v4",
       {},
       [](const OptionValues&) {
         return std::make_unique<InvertedPendulum>("InvertedPendulum-v4", Parameters{});
       }},
      {"InvertedPendulum-v5",
       {count_option("frame_skip", kFrameSkip), number_option("reset_noise_scale", kResetNoise)},
       [](const OptionValues& options) {
         return std::make_unique<InvertedPendulum>(
             "InvertedPendulum-v5",
             Parameters{.frame_skip = options.count("frame_skip"),
                        .reset_noise_scale = options.number("reset_noise_scale"),
                        .pays_terminating_step = false});
       }}};
}

}  // namespace lpdm
