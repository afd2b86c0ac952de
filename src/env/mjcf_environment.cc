#include "env/mjcf_environment.h"

#include <algorithm>
#include <utility>

#include "env/mjcf_definition.h"
#include "env/mujoco_environment.h"
#include "env/numpy_sum.h"
#include "env/observed_by.h"
#include "lpdm/error.h"

namespace lpdm {

namespace {

class MjcfEnvironment final : public ObservedBy<MjcfEnvironment, MujocoEnvironment> {
 public:
  explicit MjcfEnvironment(MjcfPlan plan)
      : ObservedBy(plan.setup, plan.model),
        plan_(std::move(plan)),
        before_(plan_.reward.size() + plan_.cost.size()),
        position_(plan_.start_position.size()),
        velocity_(plan_.start_velocity.size()) {
    std::size_t size = 0;
    for (const ObservedPart& part : plan_.observation) size += part.quantity.count;
    set_observation_size(static_cast<std::int64_t>(size));
  }

  void reset(RandomStream& random) override {
    std::ranges::copy(plan_.start_position, position_.begin());
    std::ranges::copy(plan_.start_velocity, velocity_.begin());
    for (const ResetNoise& noise : plan_.noise) {
      std::vector<double>& state = noise.quantity.array == &mjData::qpos ? position_ : velocity_;
      for (double& value : std::span(state).subspan(noise.quantity.first, noise.quantity.count)) {
        value += noise.law == VelocityNoise::kNormal ? noise.high * random.normal()
                                                     : random.uniform(noise.low, noise.high);
      }
    }
    start(position_, velocity_);
  }

  StepResult step(std::span<const float> action) override {
    measure_before(plan_.reward, 0);
    measure_before(plan_.cost, plan_.reward.size());
    simulate(action);
    if (plan_.needs_contact_forces) compute_contact_forces();
    Outcome outcome{.action = action, .healthy = healthy()};
    outcome.terminated = !outcome.healthy && plan_.terminate_when_unhealthy;
    const double reward = sum(plan_.reward, 0, outcome);
    return {plan_.cost.empty() ? reward : reward - sum(plan_.cost, plan_.reward.size(), outcome),
            outcome.terminated};
  }

 private:
  friend class ObservedBy<MjcfEnvironment, MujocoEnvironment>;

  // What a step came to, as far as the reward depends on it.
  struct Outcome {
    std::span<const float> action;
    bool healthy = false;
    bool terminated = false;
  };

  bool healthy() const {
    return std::ranges::all_of(plan_.healthy, [this](const HealthyCondition& condition) {
      return std::ranges::all_of(condition.quantity.of(data()), [&](double value) {
        return condition.range.low <= value && value <= condition.range.high;
      });
    });
  }

  // The state's part in a term, before weight and time.
  double measure(const RewardTerm& term) const {
    const std::span<const double> of = term.of.of(data());
    if (term.kind == RewardKind::kDistance) return distance(of, term.to.of(data()));
    if (term.kind != RewardKind::kSquares) return of[0];
    return numpy_sum(of.size(), [&](std::size_t i) {
      const double value = term.clip ? clip_to(*term.clip, of[i]) : of[i];
      return value * value;
    });
  }

  // Stores what the terms need of the state before the step, from before_[first] on.
  void measure_before(const std::vector<RewardTerm>& terms, std::size_t first) {
    for (const RewardTerm& term : terms) {
      if (term.before_step || term.kind == RewardKind::kVelocity) before_[first] = measure(term);
      ++first;
    }
  }

  double pay(const RewardTerm& term, double before, const Outcome& outcome) const {
    switch (term.kind) {
      case RewardKind::kConstant:
        return term.weight;
      case RewardKind::kHealthy: {
        const bool pays = outcome.healthy || (outcome.terminated && term.pays_terminating_step);
        return pays ? term.weight : 0.0;
      }
      case RewardKind::kControl:
        return control_cost(term.weight, outcome.action);
      case RewardKind::kVelocity:
        return term.weight * ((measure(term) - before) / spec().dt);
      default:
        return term.weight * (term.before_step ? before : measure(term));
    }
  }

  double sum(const std::vector<RewardTerm>& terms, std::size_t first,
             const Outcome& outcome) const {
    double total = 0.0;
    for (const RewardTerm& term : terms) total += pay(term, before_[first++], outcome);
    return total;
  }

  template <typename T>
  void write_observation(std::span<T> out) const {
    ObservationWriter<T> writer(out);
    for (const ObservedPart& part : plan_.observation) {
      const std::span<const double> values = part.quantity.of(data());
      if (part.clip) {
        writer.clip(values, *part.clip);
      } else {
        writer.copy(values);
      }
    }
  }

  MjcfPlan plan_;
  std::vector<double> before_;    // (reward terms + cost terms), of the step in progress
  std::vector<double> position_;  // (nq), of a reset in progress
  std::vector<double> velocity_;  // (nv), of a reset in progress
};

}  // namespace

std::unique_ptr<Environment> make_mjcf_environment(const std::string& definition,
                                                   const std::string& id) {
  if (definition.empty()) {
    throw UsageError(
        "mjcf is a custom environment and needs its definition: set env.definition to the JSON "
        "file that describes it (docs/custom-environments.md)");
  }
  return std::make_unique<MjcfEnvironment>(read_mjcf_definition(definition, id));
}

}  // namespace lpdm
