// A custom environment as its definition file describes it, compiled for stepping: every name is
// resolved, so that a step neither looks anything up nor allocates. Immutable once made.
#pragma once

#include <mujoco/mujoco.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "env/mujoco_environment.h"
#include "env/options.h"
#include "env/quantity.h"

namespace lpdm {

struct ObservedPart {
  Quantity quantity;
  std::optional<Range> clip;
};

// What a term of the reward measures, before its weight.
enum class RewardKind {
  kConstant,  // 1
  kHealthy,   // 1 if healthy, or if the step ends an unhealthy episode and pays_terminating_step
  kControl,   // sum a^2, in float32 with its weight as Gymnasium has it
  kVelocity,  // change of `of` over the step / dt
  kValue,     // `of`
  kSquares,   // sum of `of`^2, clipped if asked for
  kDistance,  // Euclidean distance of `of` and `to`
};

struct RewardTerm {
  RewardKind kind = RewardKind::kConstant;
  double weight = 1.0;
  Quantity of;
  Quantity to;
  std::optional<Range> clip;
  bool before_step = false;  // measured before the step
  bool pays_terminating_step = false;
};

// Every number must lie in the closed range; NaN never does.
struct HealthyCondition {
  Quantity quantity;
  Range range;
};

// What is added to the starting state, number by number: U(low, high), or high * N(0, 1).
struct ResetNoise {
  Quantity quantity;  // of qpos or qvel
  VelocityNoise law = VelocityNoise::kUniform;
  double low = 0.0;
  double high = 0.0;
};

struct MjcfPlan {
  MujocoSetup setup;
  std::shared_ptr<const mjModel> model;
  std::vector<ObservedPart> observation;
  std::vector<RewardTerm> reward;  // added up in this order
  std::vector<RewardTerm> cost;    // added up, then subtracted
  std::vector<HealthyCondition> healthy;
  bool terminate_when_unhealthy = true;
  bool needs_contact_forces = false;
  std::vector<double> start_position;  // (nq)
  std::vector<double> start_velocity;  // (nv)
  std::vector<ResetNoise> noise;       // drawn in this order
};

}  // namespace lpdm
