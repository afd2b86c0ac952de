// Pusher: a seven-joint arm that pushes an object to a goal on a table.
//
//   observation  qpos[0:7], qvel[0:7], and the positions of tips_arm, object and goal
//   action       7 torques within +-2, gear 1
//   reward       -|object - goal| - 0.1 * sum a^2 - 0.5 * |object - tips_arm|
//   terminated   never; the limit is 100 steps
//   reset        arm at 0; object (U(-0.3, 0), U(-0.2, 0.2)) redrawn until farther than 0.17 from
//                the goal, which is at 0; qvel U(-0.005, 0.005), 0 for object and goal
//   v4           the reward is that of the positions BEFORE the step
//   v5           after it, with weights as options, and the object is a cylinder only

#include <array>
#include <cmath>

#include "env/environment_entry.h"
#include "env/mujoco_compatibility.h"
#include "env/mujoco_environment.h"
#include "env/numpy_sum.h"
#include "env/observed_by.h"
#include "lpdm/error.h"

namespace lpdm {

namespace {

constexpr std::int64_t kFrameSkip = 5;
constexpr std::size_t kJoints = 7;
constexpr std::int64_t kObservationSize = 23;
constexpr double kMinObjectDistance = 0.17;  // [m]
constexpr double kVelocityNoise = 0.005;

struct Parameters {
  std::int64_t frame_skip = kFrameSkip;
  double near_weight = 0.5;
  double distance_weight = 1.0;
  double control_weight = 0.1;
  bool pays_before_step = true;
};

class Pusher final : public ObservedBy<Pusher, MujocoEnvironment> {
 public:
  Pusher(const std::string& id, const std::string& model_file, const Parameters& parameters)
      : ObservedBy(MujocoSetup{.id = id,
                               .model = model_file,
                               .size = {.nq = 11, .nv = 11, .nu = 7},
                               .frame_skip = parameters.frame_skip,
                               .max_episode_steps = 100,
                               .reward_threshold = 0.0,
                               .step_cost = 30e-6}),
        parameters_(parameters),
        tip_(body_index("tips_arm")),
        object_(body_index("object")),
        goal_(body_index("goal")) {
    if (parameters_.pays_before_step) {  // v4
      if (const auto reason = pusher_v4_refusal(model())) throw UsageError(*reason);
    }
    set_observation_size(kObservationSize);
  }

  void reset(RandomStream& random) override {
    std::array<double, kJoints + 4> position{};  // joints, object y and x, goal y and x
    do {
      position[kJoints] = random.uniform(-0.3, 0.0);
      position[kJoints + 1] = random.uniform(-0.2, 0.2);
    } while (std::hypot(position[kJoints], position[kJoints + 1]) <= kMinObjectDistance);
    std::array<double, kJoints + 4> velocity{};
    for (std::size_t i = 0; i < kJoints; ++i) {
      velocity[i] = random.uniform(-kVelocityNoise, kVelocityNoise);
    }
    start(position, velocity);
  }

  StepResult step(std::span<const float> action) override {
    const double reward_before = reward(action);
    simulate(action);
    return {parameters_.pays_before_step ? reward_before : reward(action), false};
  }

 private:
  friend class ObservedBy<Pusher, MujocoEnvironment>;

  double reward(std::span<const float> action) const {
    const double to_goal = distance(body_position(object_), body_position(goal_));
    const double to_tip = distance(body_position(object_), body_position(tip_));
    const double cost = control_cost(parameters_.control_weight, action);
    return -to_goal * parameters_.distance_weight - cost - to_tip * parameters_.near_weight;
  }

  template <typename T>
  void write_observation(std::span<T> out) const {
    ObservationWriter<T> writer(out);
    writer.copy(qpos().first(kJoints));
    writer.copy(qvel().first(kJoints));
    for (const int body : {tip_, object_, goal_}) writer.copy(body_position(body));
  }

  Parameters parameters_;
  int tip_;
  int object_;
  int goal_;
};

}  // namespace

std::vector<EnvironmentEntry> pusher_entries() {
  return {{"Pusher-v4",
           {},
           [](const OptionValues&) {
             return std::make_unique<Pusher>("Pusher-v4", "pusher.xml", Parameters{});
           }},
          {"Pusher-v5",
           {count_option("frame_skip", kFrameSkip), number_option("reward_near_weight", 0.5),
            number_option("reward_dist_weight", 1.0), number_option("reward_control_weight", 0.1)},
           [](const OptionValues& options) {
             return std::make_unique<Pusher>(
                 "Pusher-v5", "pusher_v5.xml",
                 Parameters{.frame_skip = options.count("frame_skip"),
                            .near_weight = options.number("reward_near_weight"),
                            .distance_weight = options.number("reward_dist_weight"),
                            .control_weight = options.number("reward_control_weight"),
                            .pays_before_step = false});
           }}};
}

}  // namespace lpdm
