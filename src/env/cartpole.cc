// CartPole-v1: balance a pole on a cart by pushing the cart left or right.
//
//   state        x [m], x' [m/s], theta [rad], theta' [rad/s], kept in double
//   observation  the state, rounded to float32
//   action       0: -10 N, 1: +10 N
//   dynamics     explicit Euler, 0.02 s: positions advance with the OLD velocities
//   reward       1 on every step, the terminating one included; with sutton_barto_reward 0, and -1
//                on the terminating one
//   terminated   |x| > 2.4 or |theta| > 12 degrees
//   reset        each of the four U(-0.05, 0.05)
//
// The order of the operations is Gymnasium's, so that every bit of the state agrees.

#include <array>
#include <cmath>
#include <limits>
#include <numbers>

#include "env/environment_entry.h"
#include "env/observed_by.h"
#include "env/set_state.h"

namespace lpdm {

namespace {

constexpr char kId[] = "CartPole-v1";
constexpr double kGravity = 9.8;   // [m/s^2]
constexpr double kPoleMass = 0.1;  // [kg]
constexpr double kTotalMass = 0.1 + 1.0;
constexpr double kHalfLength = 0.5;  // [m]
constexpr double kPoleMassLength = kPoleMass * kHalfLength;
constexpr double kForce = 10.0;                                // [N]
constexpr double kTimestep = 0.02;                             // [s]
constexpr double kMaxPosition = 2.4;                           // [m]
constexpr double kMaxAngle = 12 * 2 * std::numbers::pi / 360;  // [rad]
constexpr double kResetRange = 0.05;

EnvironmentSpec make_spec() {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  EnvironmentSpec spec;
  spec.id = kId;
  spec.observation_size = 4;
  spec.observation_high = {static_cast<float>(kMaxPosition * 2), kInfinity,
                           static_cast<float>(kMaxAngle * 2), kInfinity};
  for (const double high : spec.observation_high) spec.observation_low.push_back(-high);
  spec.float32_observations = true;
  spec.action.size = 2;
  spec.max_episode_steps = 500;
  spec.reward_threshold = 475.0;
  spec.dt = kTimestep;
  spec.step_cost = 35e-9;
  return spec;
}

class alignas(64) CartPole final : public ObservedBy<CartPole, Environment> {
 public:
  explicit CartPole(const OptionValues& options)
      : sutton_barto_reward_(options.flag("sutton_barto_reward")), spec_(make_spec()) {}

  const EnvironmentSpec& spec() const override { return spec_; }

  void reset(RandomStream& random) override {
    for (double& value : state_) value = random.uniform(-kResetRange, kResetRange);
  }

  void set_state(const EnvironmentState& state) override {
    const std::vector<double>& values = state_part(kId, state, "state", state_.size());
    std::copy(values.begin(), values.end(), state_.begin());
  }

  EnvironmentState state() const override { return {{"state", {state_.begin(), state_.end()}}}; }

  StepResult step(std::span<const float> action) override {
    const auto [x, x_dot, theta, theta_dot] = state_;
    const double force = kForce * (2.0 * action[0] - 1.0);  // exact; a branch is often mispredicted
    const double cosine = std::cos(theta);
    const double sine = std::sin(theta);
    const double pressure = (force + kPoleMassLength * (theta_dot * theta_dot) * sine) / kTotalMass;
    const double theta_acceleration =
        (kGravity * sine - cosine * pressure) /
        (kHalfLength * (4.0 / 3.0 - kPoleMass * (cosine * cosine) / kTotalMass));
    const double x_acceleration =
        pressure - kPoleMassLength * theta_acceleration * cosine / kTotalMass;
    state_ = {x + kTimestep * x_dot, x_dot + kTimestep * x_acceleration,
              theta + kTimestep * theta_dot, theta_dot + kTimestep * theta_acceleration};
    const bool terminated = std::abs(state_[0]) > kMaxPosition || std::abs(state_[2]) > kMaxAngle;
    if (sutton_barto_reward_) return {terminated ? -1.0 : 0.0, terminated};
    return {1.0, terminated};
  }

 private:
  friend class ObservedBy<CartPole, Environment>;

  template <typename T>
  void write_observation(std::span<T> out) const {
    for (std::size_t i = 0; i < state_.size(); ++i) out[i] = static_cast<float>(state_[i]);
  }

  // What every step touches comes first, within one cache line.
  std::array<double, 4> state_{};  // x, x', theta, theta'
  bool sutton_barto_reward_;
  EnvironmentSpec spec_;
};

}  // namespace

std::vector<EnvironmentEntry> cartpole_entries() {
  return {{kId, {flag_option("sutton_barto_reward", false)}, [](const OptionValues& options) {
             return std::make_unique<CartPole>(options);
           }}};
}

}  // namespace lpdm
