// Acrobot-v1: swing the tip of a two-link pendulum, driven at its elbow, above a line.
//
//   state        theta1, theta2 [rad], theta1', theta2' [rad/s], kept in double
//   observation  cos theta1, sin theta1, cos theta2, sin theta2, theta1', theta2', rounded to
//   float32 action       0, 1, 2: torque -1, 0, +1 [N m] dynamics     one Runge-Kutta step of 0.2 s
//   with the equations of Sutton and Barto's book; then
//                the angles are wrapped to [-pi, pi] and the speeds clipped to 4 pi and 9 pi
//   reward       -1, and 0 on the terminating step
//   terminated   -cos theta1 - cos(theta1 + theta2) > 1
//   reset        each of the four U(-0.1, 0.1), rounded to float32
//
// The order of the operations is Gymnasium's, so that every bit of the state agrees. Its squares
// are calls of the C library's pow, which is not always x * x in the last bit: this file is built
// with -fno-builtin-pow.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "env/environment_entry.h"
#include "env/observed_by.h"
#include "env/set_state.h"
#include "lpdm/error.h"

namespace lpdm {

namespace {

constexpr char kId[] = "Acrobot-v1";
constexpr double kPi = std::numbers::pi;
constexpr double kGravity = 9.8;   // [m/s^2]
constexpr double kTimestep = 0.2;  // [s]
constexpr double kMass = 1.0;      // [kg], of either link
constexpr double kLength = 1.0;    // [m], of the first link
constexpr double kCenter = 0.5;    // [m], from a link's joint to its centre of mass
constexpr double kInertia = 1.0;   // [kg m^2], of either link
constexpr std::array<double, 2> kMaxSpeed = {4 * kPi, 9 * kPi};  // [rad/s]
constexpr double kResetRange = 0.1;
constexpr double kMaxGivenAngle = 1e6;  // [rad]; wrapping takes one turn at a time

using State = std::array<double, 4>;

double square(double x) { return std::pow(x, 2.0); }

// The time derivative of `state` under `torque`.
State derivative(const State& state, double torque) {
  const auto [theta1, theta2, speed1, speed2] = state;
  const double cosine2 = std::cos(theta2);
  const double sine2 = std::sin(theta2);
  constexpr double kCenter2 = kCenter * kCenter;
  const double d1 = kMass * kCenter2 +
                    kMass * (kLength * kLength + kCenter2 + 2 * kLength * kCenter * cosine2) +
                    kInertia + kInertia;
  const double d2 = kMass * (kCenter2 + kLength * kCenter * cosine2) + kInertia;
  const double phi2 = kMass * kCenter * kGravity * std::cos(theta1 + theta2 - kPi / 2.0);
  const double phi1 = -kMass * kLength * kCenter * square(speed2) * sine2 -
                      2 * kMass * kLength * kCenter * speed2 * speed1 * sine2 +
                      (kMass * kCenter + kMass * kLength) * kGravity * std::cos(theta1 - kPi / 2) +
                      phi2;
  const double acceleration2 =
      (torque + d2 / d1 * phi1 - kMass * kLength * kCenter * square(speed1) * sine2 - phi2) /
      (kMass * kCenter2 + kInertia - square(d2) / d1);
  const double acceleration1 = -(d2 * acceleration2 + phi1) / d1;
  return {speed1, speed2, acceleration1, acceleration2};
}

State advanced(const State& state, double time, const State& rate) {
  State result;
  for (std::size_t i = 0; i < state.size(); ++i) result[i] = state[i] + time * rate[i];
  return result;
}

State runge_kutta_step(const State& state, double torque) {
  const State k1 = derivative(state, torque);
  const State k2 = derivative(advanced(state, kTimestep / 2.0, k1), torque);
  const State k3 = derivative(advanced(state, kTimestep / 2.0, k2), torque);
  const State k4 = derivative(advanced(state, kTimestep, k3), torque);
  State sum;
  for (std::size_t i = 0; i < state.size(); ++i) sum[i] = k1[i] + 2 * k2[i] + 2 * k3[i] + k4[i];
  return advanced(state, kTimestep / 6.0, sum);
}

double wrapped(double angle) {
  while (angle > kPi) angle -= 2 * kPi;
  while (angle < -kPi) angle += 2 * kPi;
  return angle;
}

EnvironmentSpec make_spec() {
  EnvironmentSpec spec;
  spec.id = kId;
  spec.observation_size = 6;
  spec.observation_high = {
      1.0, 1.0, 1.0, 1.0, static_cast<float>(kMaxSpeed[0]), static_cast<float>(kMaxSpeed[1])};
  for (const double high : spec.observation_high) spec.observation_low.push_back(-high);
  spec.float32_observations = true;
  spec.action.size = 3;
  spec.max_episode_steps = 500;
  spec.reward_threshold = -100.0;
  spec.dt = kTimestep;
  spec.step_cost = 400e-9;
  return spec;
}

class Acrobot final : public ObservedBy<Acrobot, Environment> {
 public:
  explicit Acrobot(const OptionValues&) : spec_(make_spec()) {}

  const EnvironmentSpec& spec() const override { return spec_; }

  void reset(RandomStream& random) override {
    for (double& value : state_) {
      value = static_cast<float>(random.uniform(-kResetRange, kResetRange));
    }
  }

  void set_state(const EnvironmentState& state) override {
    const std::vector<double>& values = state_part(kId, state, "state", state_.size());
    if (std::abs(values[0]) > kMaxGivenAngle || std::abs(values[1]) > kMaxGivenAngle) {
      throw UsageError(fmt::format("the angles in the state of {} must lie within +-{} rad", kId,
                                   kMaxGivenAngle));
    }
    std::copy(values.begin(), values.end(), state_.begin());
  }

  EnvironmentState state() const override { return {{"state", {state_.begin(), state_.end()}}}; }

  StepResult step(std::span<const float> action) override {
    state_ = runge_kutta_step(state_, static_cast<double>(action[0]) - 1.0);
    for (std::size_t i = 0; i < 2; ++i) {
      state_[i] = wrapped(state_[i]);
      state_[2 + i] = std::clamp(state_[2 + i], -kMaxSpeed[i], kMaxSpeed[i]);
    }
    const bool terminated = -std::cos(state_[0]) - std::cos(state_[1] + state_[0]) > 1.0;
    return {terminated ? 0.0 : -1.0, terminated};
  }

 private:
  friend class ObservedBy<Acrobot, Environment>;

  template <typename T>
  void write_observation(std::span<T> out) const {
    for (std::size_t i = 0; i < 2; ++i) {
      out[2 * i] = static_cast<float>(std::cos(state_[i]));
      out[2 * i + 1] = static_cast<float>(std::sin(state_[i]));
      out[4 + i] = static_cast<float>(state_[2 + i]);
    }
  }

  EnvironmentSpec spec_;
  State state_{};  // theta1, theta2, theta1', theta2'
};

}  // namespace

std::vector<EnvironmentEntry> acrobot_entries() {
  return {
      {kId, {}, [](const OptionValues& options) { return std::make_unique<Acrobot>(options); }}};
}

}  // namespace lpdm
