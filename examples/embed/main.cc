// lpdm inside another program: trains CartPole, then an environment of the program's own.
#include <lpdm/config.h>
#include <lpdm/environment.h>
#include <lpdm/error.h>
#include <lpdm/trainer.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>
#include <vector>

namespace {

// A point on a line that is pushed left, not at all, or right, and is paid for being near 0.
//
//   observation  position [m], velocity [m/s]
//   reward       1 within 0.1 m of the origin, less the further away
//   terminated   further than 2 m away
class Point final : public lpdm::Environment {
 public:
  Point() {
    spec_.id = "Point-v0";
    spec_.observation_size = 2;
    spec_.observation_low = {-kEdge, -10.0};
    spec_.observation_high = {kEdge, 10.0};
    spec_.action.discrete = true;
    spec_.action.size = 3;
    spec_.max_episode_steps = 200;
    spec_.dt = kTimestep;
  }

  const lpdm::EnvironmentSpec& spec() const override { return spec_; }

  void reset(lpdm::RandomStream& random) override {
    position_ = random.uniform(-1.0, 1.0);
    velocity_ = 0.0;
  }
  void set_state(const lpdm::EnvironmentState& state) override {
    const auto found = state.find("state");
    if (found == state.end() || found->second.size() != 2) {
      throw lpdm::UsageError("the state of Point-v0 must be \"state\" with 2 numbers");
    }
    position_ = found->second[0];
    velocity_ = found->second[1];
  }
  lpdm::EnvironmentState state() const override { return {{"state", {position_, velocity_}}}; }

  lpdm::StepResult step(std::span<const float> action) override {
    constexpr double kPush = 2.0;  // [m/s^2]
    velocity_ += kTimestep * kPush * (static_cast<double>(action[0]) - 1.0);
    position_ += kTimestep * velocity_;
    const double distance = std::abs(position_);
    return {.reward = 1.0 / (1.0 + std::max(0.0, distance - 0.1)), .terminated = distance > kEdge};
  }

  void observe(std::span<double> observation) const override { write(observation); }
  void observe(std::span<float> observation) const override { write(observation); }

 private:
  static constexpr double kTimestep = 0.05;  // [s]
  static constexpr double kEdge = 2.0;       // [m]

  template <class T>
  void write(std::span<T> observation) const {
    observation[0] = static_cast<T>(position_);
    observation[1] = static_cast<T>(velocity_);
  }

  lpdm::EnvironmentSpec spec_;
  double position_ = 0.0;
  double velocity_ = 0.0;
};

// Trains to the end of the config and returns the mean return of 20 evaluation episodes.
double train(lpdm::Trainer& trainer) {
  while (trainer.progress().iteration < trainer.config().run.iterations) {
    const lpdm::IterationMetrics metrics = trainer.iterate();
    if (metrics.iteration % 100 == 0 && metrics.return_mean) {
      std::printf("%s  iteration %lld  return %.1f\n", trainer.environment().id.c_str(),
                  static_cast<long long>(metrics.iteration), *metrics.return_mean);
    }
  }
  return trainer.evaluate(20, true).return_mean;
}

}  // namespace

int main() {
  try {
    // The text of a config file, with overrides as on the command line.
    lpdm::Trainer cartpole(lpdm::parse_config(R"({"env": {"id": "CartPole-v1"}})",
                                              std::vector<std::string>{"run.iterations=500"}));
    const double cartpole_return = train(cartpole);

    lpdm::Config config;
    config.run.iterations = 300;
    lpdm::Trainer point(config, [] { return std::make_unique<Point>(); });
    const double before = point.evaluate(20, true).return_mean;
    const double after = train(point);

    std::printf("CartPole-v1: mean return %.1f\n", cartpole_return);
    std::printf("Point-v0: mean return %.1f, %.1f before training\n", after, before);
    return cartpole_return > 100.0 && after > before ? 0 : 1;
  } catch (const lpdm::Error& error) {
    std::fprintf(stderr, "embed: %s\n", error.what());
    return 1;
  }
}
