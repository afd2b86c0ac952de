// The interface of one environment instance, and the registry that makes them by name.
//
// An Environment is a state machine without hidden policy: it does not count steps (the time limit
// belongs to VectorEnv), does not reset itself, and does not clip actions. Not thread-safe;
// different instances may be used from different threads at once, and instances of one id share
// what is immutable (a MuJoCo environment's model is parsed once per process and set of options).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lpdm/random.h"

namespace lpdm {

// What a policy emits. A discrete action travels as one float that holds its index.
struct ActionSpace {
  bool discrete = true;
  std::int64_t size = 0;    // number of actions if discrete, else dimensions
  std::vector<float> low;   // (size), empty if discrete
  std::vector<float> high;  // (size), empty if discrete

  std::int64_t width() const { return discrete ? 1 : size; }  // floats per action
};

// What is fixed about an environment.
struct EnvironmentSpec {
  std::string id;
  std::int64_t observation_size = 0;
  std::vector<double> observation_low;   // (observation_size)
  std::vector<double> observation_high;  // (observation_size)
  bool float32_observations = false;     // Gymnasium's dtype; the values are rounded to it
  ActionSpace action;
  std::int64_t max_episode_steps = 0;      // Gymnasium's time limit
  std::optional<double> reward_threshold;  // Gymnasium's "solved" return
  double dt = 0.0;                         // [s] of simulated time per step
  double step_cost = 1e-6;                 // [s] of computing per step, roughly: sizes the tasks
  std::string model;                       // MuJoCo model file, empty for classic control
};

// Gymnasium's constructor arguments: numbers, booleans (0/1) and ranges ([low, high]).
using EnvironmentOptions = std::map<std::string, std::vector<double>>;

enum class OptionKind { kNumber, kCount, kFlag, kRange };

// One argument that an environment offers.
struct EnvironmentOption {
  std::string name;
  OptionKind kind = OptionKind::kNumber;
  std::vector<double> value;  // the default: one number, a range has two
};

// The state from which an episode can be replayed: "qpos" and "qvel", or "state".
using EnvironmentState = std::map<std::string, std::vector<double>>;

struct StepResult {
  double reward = 0.0;
  bool terminated = false;
};

class Environment {
 public:
  virtual ~Environment() = default;

  virtual const EnvironmentSpec& spec() const = 0;

  // Draws a new initial state from `random`.
  virtual void reset(RandomStream& random) = 0;
  // Starts from a given state, as Gymnasium's reset followed by set_state. Throws UsageError if a
  // part is missing, has the wrong size or is not finite.
  virtual void set_state(const EnvironmentState& state) = 0;
  virtual EnvironmentState state() const = 0;

  // action: (spec().action.width()), finite, an index within range if discrete: VectorEnv and
  // replay see to that. Applies it as it is.
  virtual StepResult step(std::span<const float> action) = 0;
  // Whether the simulation has broken down since the last reset or set_state, so that the state is
  // no longer one of the model's. Observations and rewards that are not finite need not be told.
  virtual bool diverged() const { return false; }

  // Writes the current observation, (observation_size). Both overloads see the same values.
  virtual void observe(std::span<double> observation) const = 0;
  virtual void observe(std::span<float> observation) const = 0;
};

// The ids that make_environment knows, in alphabetical order.
std::vector<std::string> environment_ids();

// Custom environments have ids of the form "mjcf:DEFINITION", with the path of the file that
// describes them (docs/custom-environments.md), and no options.
inline constexpr std::string_view kMjcf = "mjcf";
// The path within such an id; "" if `id` has none.
std::string mjcf_definition(const std::string& id);

// The options an environment offers, in Gymnasium's order. Throws UsageError for an unknown id.
std::vector<EnvironmentOption> environment_options(const std::string& id);
// The same as a map from name to default.
EnvironmentOptions default_options(const std::string& id);

// Throws UsageError for an unknown id or option (naming the nearest known one), for an option value
// that does not fit, or when a model file is missing or does not parse.
std::unique_ptr<Environment> make_environment(const std::string& id,
                                              const EnvironmentOptions& options = {});

}  // namespace lpdm
