#include "env/mjcf_definition.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <limits>
#include <span>
#include <system_error>

#include "core/nearest_name.h"
#include "env/json_field.h"
#include "env/mjcf_reward.h"
#include "env/mujoco_model.h"
#include "io/files.h"
#include "lpdm/error.h"

namespace lpdm {

namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMaxDefinitionBytes = std::uint64_t{1} << 24;
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kLargest = std::numeric_limits<double>::max();
// [s] per mj_step, a guess that hands every row to a thread of its own.
constexpr double kSubstepCost = 20e-6;

const std::array<std::string, 11> kKeys = {"model",
                                           "frame_skip",
                                           "max_episode_steps",
                                           "reward_threshold",
                                           "like_mujoco_2_3_7",
                                           "observation",
                                           "reward",
                                           "cost",
                                           "healthy",
                                           "terminate_when_unhealthy",
                                           "reset"};

// The model's file: next to the definition, or else among Gymnasium's models.
std::string find_model(const JsonField& field, const fs::path& definition) {
  const std::string name = read_text(field);
  std::vector<std::string> nearby;
  for (const fs::path& folder : {definition.parent_path(), fs::path(model_directory())}) {
    std::error_code ignored;
    if (!name.empty() && fs::is_regular_file(folder / name, ignored)) {
      return (folder / name).string();
    }
    for (const auto& entry : fs::directory_iterator(folder.empty() ? "." : folder, ignored)) {
      if (entry.path().extension() == ".xml") nearby.push_back(entry.path().filename().string());
    }
  }
  const std::string nearest = nearest_name(name, nearby);
  throw UsageError(
      fmt::format("{} is \"{}\", a file that exists neither in the definition's folder nor in {}{}",
                  field.path, name, model_directory(),
                  nearest.empty() ? "" : fmt::format(": did you mean \"{}\"?", nearest)));
}

// Actions are drawn and shown within the control ranges, so every actuator needs one.
void check_actuators(const JsonField& field, const mjModel& model) {
  if (model.nu == 0) {
    throw UsageError(fmt::format("{} is {}, which has no actuators: add at least one to the model",
                                 field.path, json_excerpt(field.value)));
  }
  for (int i = 0; i < model.nu; ++i) {
    if (model.actuator_ctrllimited[i] != 0) continue;
    const char* name = mj_id2name(&model, mjOBJ_ACTUATOR, i);
    throw UsageError(
        fmt::format("{} is {}, whose actuator {}{} has no range: give it ctrllimited and ctrlrange "
                    "in the model",
                    field.path, json_excerpt(field.value), i,
                    name == nullptr ? "" : fmt::format(" ({})", name)));
  }
}

std::vector<ObservedPart> read_observation(const JsonField& field, const mjModel& model) {
  static const std::array<std::string, 2> keys = {"of", "clip"};
  std::vector<ObservedPart> parts;
  for (const JsonField& part : elements(field)) {
    check_keys(part, keys);
    parts.push_back({read_quantity(member(part, "of"), model), read_clip(part)});
  }
  if (parts.empty()) field.refuse("an array with at least one part");
  return parts;
}

// Open bounds become the closed ones next to them.
HealthyCondition read_condition(const JsonField& field, const mjModel& model) {
  static const std::array<std::string, 6> keys = {"of",    "above",   "at_least",
                                                  "below", "at_most", "finite"};
  check_keys(field, keys);
  Range range = {-kInfinity, kInfinity};
  if (has(field, "finite") && read_flag(member(field, "finite"))) range = {-kLargest, kLargest};
  if (has(field, "at_least")) range.low = read_number(member(field, "at_least"));
  if (has(field, "above")) {
    range.low = std::max(range.low, std::nextafter(read_number(member(field, "above")), kInfinity));
  }
  if (has(field, "at_most")) range.high = read_number(member(field, "at_most"));
  if (has(field, "below")) {
    range.high =
        std::min(range.high, std::nextafter(read_number(member(field, "below")), -kInfinity));
  }
  if (field.value.size() < 2) {
    field.refuse("a quantity with above, at_least, below, at_most or finite");
  }
  if (range.low > range.high) field.refuse("a range that holds a number");
  return {read_quantity(member(field, "of"), model), range};
}

ResetNoise read_noise(const JsonField& field, const mjModel& model) {
  static const std::array<std::string, 3> keys = {"of", "uniform", "normal"};
  check_keys(field, keys);
  ResetNoise noise;
  noise.quantity = read_quantity(member(field, "of"), model);
  if (noise.quantity.array != &mjData::qpos && noise.quantity.array != &mjData::qvel) {
    member(field, "of").refuse("part of qpos or qvel");
  }
  if (has(field, "uniform") == has(field, "normal")) {
    field.refuse("an object with one of uniform and normal");
  }
  if (has(field, "normal")) {
    noise.law = VelocityNoise::kNormal;
    noise.high = read_number(member(field, "normal"));
    if (noise.high < 0.0) member(field, "normal").refuse("a standard deviation of at least 0");
  } else {
    const Range range = read_range(member(field, "uniform"));
    noise.low = range.low;
    noise.high = range.high;
  }
  return noise;
}

std::vector<double> read_start(const JsonField& reset, const std::string& key,
                               std::span<const double> of_model) {
  if (!has(reset, key)) return {of_model.begin(), of_model.end()};
  const JsonField field = member(reset, key);
  std::vector<double> start = read_numbers(field);
  if (start.size() != of_model.size()) {
    field.refuse(fmt::format("an array of {} numbers", of_model.size()));
  }
  return start;
}

void read_reset(const JsonField& definition, MjcfPlan& plan) {
  static const std::array<std::string, 3> keys = {"qpos", "qvel", "noise"};
  static const Json none = Json::object();
  const JsonField reset =
      has(definition, "reset") ? member(definition, "reset") : JsonField{none, definition.path};
  check_keys(reset, keys);
  const mjModel& model = *plan.model;
  const std::vector<double> at_rest(static_cast<std::size_t>(model.nv));
  plan.start_position =
      read_start(reset, "qpos", {model.qpos0, static_cast<std::size_t>(model.nq)});
  plan.start_velocity = read_start(reset, "qvel", at_rest);
  if (!has(reset, "noise")) return;
  for (const JsonField& noise : elements(member(reset, "noise"))) {
    plan.noise.push_back(read_noise(noise, model));
  }
}

void read_healthy(const JsonField& definition, MjcfPlan& plan) {
  if (has(definition, "healthy")) {
    for (const JsonField& condition : elements(member(definition, "healthy"))) {
      plan.healthy.push_back(read_condition(condition, *plan.model));
    }
  }
  if (has(definition, "terminate_when_unhealthy")) {
    plan.terminate_when_unhealthy = read_flag(member(definition, "terminate_when_unhealthy"));
  }
}

void find_contact_forces(MjcfPlan& plan) {
  const auto note = [&](const Quantity& quantity) {
    plan.needs_contact_forces |= needs_contact_forces(quantity);
  };
  for (const ObservedPart& part : plan.observation) note(part.quantity);
  for (const HealthyCondition& condition : plan.healthy) note(condition.quantity);
  for (const auto* terms : {&plan.reward, &plan.cost}) {
    for (const RewardTerm& term : *terms) {
      note(term.of);
      note(term.to);
    }
  }
}

// The model and what is said of it as a whole.
void read_setup(const JsonField& definition, const std::string& path, const std::string& id,
                MjcfPlan& plan) {
  const JsonField model = member(definition, "model");
  const bool like_2_3_7 =
      has(definition, "like_mujoco_2_3_7") && read_flag(member(definition, "like_mujoco_2_3_7"));
  const std::string file = find_model(model, path);
  try {
    plan.model = load_model_file(file, like_2_3_7 ? Physics::kLike237 : Physics::kOwn);
  } catch (const UsageError& error) {
    throw UsageError(fmt::format("{} does not parse: {}", model.path, error.what()));
  }
  check_actuators(model, *plan.model);
  plan.setup.id = id;
  plan.setup.model = file;
  if (has(definition, "frame_skip")) {
    plan.setup.frame_skip = read_count(member(definition, "frame_skip"));
  }
  if (has(definition, "max_episode_steps")) {
    plan.setup.max_episode_steps = read_count(member(definition, "max_episode_steps"));
  }
  if (has(definition, "reward_threshold")) {
    plan.setup.reward_threshold = read_number(member(definition, "reward_threshold"));
  }
  plan.setup.step_cost = kSubstepCost * static_cast<double>(plan.setup.frame_skip);
}

}  // namespace

MjcfPlan read_mjcf_definition(const std::string& path, const std::string& id) {
  const Json json = parse_json(read_file(path, "environment definition", kMaxDefinitionBytes), path,
                               JsonComments::kAllowed);
  const JsonField definition{json, path + ":"};
  check_keys(definition, kKeys);
  MjcfPlan plan;
  read_setup(definition, path, id, plan);
  plan.observation = read_observation(member(definition, "observation"), *plan.model);
  plan.reward = read_reward_terms(definition, "reward", *plan.model);
  plan.cost = read_reward_terms(definition, "cost", *plan.model);
  if (plan.reward.empty() && plan.cost.empty()) {
    throw UsageError(
        fmt::format("{} has no term in \"reward\" and none in \"cost\": add one", definition.path));
  }
  read_healthy(definition, plan);
  read_reset(definition, plan);
  find_contact_forces(plan);
  return plan;
}

}  // namespace lpdm
