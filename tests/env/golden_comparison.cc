#include "env/golden_comparison.h"

#include <gtest/gtest.h>
#include <mujoco/mujoco.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <iterator>
#include <map>
#include <string_view>

#include "env/mujoco_compatibility.h"

namespace lpdm {
namespace {

using Json = nlohmann::json;

// The C library's sin, cos and pow may round differently on another system, and then nothing that
// follows can have the same bits. LPDM_TEST_OTHER_LIBM=1 accepts what the files say a shift of the
// initial state by 1e-12 leads to; never in continuous integration, and never unasked.
bool accepts_other_rounding() {
  const auto is = [](const char* variable, std::string_view value) {
    const char* given = std::getenv(variable);
    return given != nullptr && given == value;
  };
  return is("LPDM_TEST_OTHER_LIBM", "1") && !is("CI", "true");
}

// Another MuJoCo than the one of the recordings rounds every step differently, not only the first
// state: what comes to rest may end up this far away where the guide has a thousandth of it.
constexpr double kOtherMujoco = 1e-5;
constexpr double kOtherLibm = 1e-6;

// What is allowed at least, also where nothing was measured; 0: the bits must be the same.
double least_tolerance(bool simulated) {
  if (simulated && !records_this_mujoco()) return kOtherMujoco;
  return accepts_other_rounding() ? kOtherLibm : 0.0;
}

// What observation and reward of a step may deviate by.
double tolerance(const Json& episode, std::int64_t step, double least) {
  if (least == 0.0) return 0.0;
  const Json guide = episode.value("max_dev_if_init_perturbed_1e-12", Json());
  std::map<std::int64_t, double> deviations;  // by step, never falling
  for (const auto& [at, deviation] : guide.items()) deviations[std::stoll(at)] = deviation;
  if (deviations.empty()) return least;
  const auto found = deviations.lower_bound(step);
  return std::max(least, found == deviations.end() ? deviations.rbegin()->second : found->second);
}

void expect_near(const std::vector<double>& actual, const Json& expected, double tolerance,
                 const std::string& what) {
  ASSERT_EQ(actual.size(), expected.size()) << what;
  for (std::size_t i = 0; i < actual.size(); ++i) {
    EXPECT_LE(std::abs(actual[i] - expected[i].get<double>()), tolerance)
        << what << "[" << i << "]";
  }
}

std::vector<std::int64_t> kept_steps(const Json& episode) {
  if (episode["step_index"].is_array()) return episode["step_index"];
  std::vector<std::int64_t> all;
  for (std::int64_t step = 1; step <= episode["num_steps"]; ++step) all.push_back(step);
  return all;
}

void expect_episode(const ReplayedEpisode& actual, const Json& expected, double least) {
  SCOPED_TRACE(expected["name"]);
  EXPECT_EQ(actual.name, expected["name"]);
  expect_near(actual.first_observation, expected["obs0"], tolerance(expected, 0, least), "obs0");
  const std::int64_t last = expected["num_steps"];
  ASSERT_EQ(std::ssize(actual.steps), last);
  const std::vector<std::int64_t> kept = kept_steps(expected);
  ASSERT_EQ(kept.size(), expected["steps"].size());
  for (std::size_t i = 0; i < kept.size(); ++i) {
    const ReplayedStep& step = actual.steps[static_cast<std::size_t>(kept[i] - 1)];
    const Json& row = expected["steps"][i];
    const double allowed = tolerance(expected, kept[i], least);
    const std::string where = "step " + std::to_string(kept[i]);
    expect_near(step.observation, row[0], allowed, where + " observation");
    EXPECT_LE(std::abs(step.reward - row[1].get<double>()), allowed) << where << " reward";
    EXPECT_EQ(step.terminated, row[2] == 1) << where;
    EXPECT_EQ(step.truncated, row[3] == 1) << where;
  }
  ASSERT_EQ(actual.final_state.size(), expected["final_state"].size());
  for (const auto& [part, values] : actual.final_state) {
    expect_near(values, expected["final_state"][part], tolerance(expected, last, least), part);
  }
  // A sum in step order is what the files have; with all steps replayed it covers those not kept.
  double episode_return = 0.0;
  for (const ReplayedStep& step : actual.steps) episode_return += step.reward;
  EXPECT_NEAR(episode_return, expected["return"].get<double>(),
              1e-11 + static_cast<double>(last) * tolerance(expected, last, least));
}

}  // namespace

bool records_this_mujoco() { return kMujocoVersion == MujocoVersion{2, 3, 7}; }

std::string incomparable(const std::string& env_id) {
  for (const PhysicsDifference& difference : physics_differences(kMujocoVersion)) {
    const bool concerns =
        !difference.environment.empty() && env_id.starts_with(difference.environment);
    if (concerns && !difference.restored) return std::string(difference.what);
  }
  return "";
}

void expect_replay(const Replay& actual, const Json& expected) {
  const bool simulated = !expected["mujoco"].is_null();
  const Json version = simulated ? Json(mj_versionString()) : Json("");
  EXPECT_EQ(actual.mujoco, records_this_mujoco() && simulated ? expected["mujoco"] : version);
  ASSERT_EQ(actual.episodes.size(), expected["episodes"].size());
  for (std::size_t i = 0; i < actual.episodes.size(); ++i) {
    expect_episode(actual.episodes[i], expected["episodes"][i], least_tolerance(simulated));
  }
}

}  // namespace lpdm
