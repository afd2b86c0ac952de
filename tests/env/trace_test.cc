#include "env/trace.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "env/replay.h"
#include "io/temporary_folder.h"
#include "io/usage_error.h"

namespace lpdm {
namespace {

using Json = nlohmann::json;

constexpr char kCartPole[] = R"({
  "env_id": "CartPole-v1",
  "episodes": [
    {"name": "first", "max_episode_steps": 500, "num_steps": 2, "init": {"state": [0, 0, 0, 0]},
     "actions": {"kind": "explicit", "data": [0, 1]}},
    {"name": "second", "max_episode_steps": 3, "num_steps": 5, "init": {"state": [0, 0, 0, 0]},
     "actions": {"kind": "constant", "value": 1}}]})";

constexpr char kPendulum[] = R"({
  "env_id": "InvertedPendulum-v4",
  "episodes": [
    {"name": "swing", "max_episode_steps": 9, "num_steps": 2,
     "init": {"qpos": [0, 0], "qvel": [0, 0]},
     "actions": {"kind": "linear_feedback", "K": [0, 2, 0, 1], "lo": -1, "hi": 1}}]})";

Replay replay_text(const std::string& text) {
  const TemporaryFolder folder;
  put_file(folder / "trace.json", text);
  return replay_trace(read_trace(folder / "trace.json"));
}

// The document with the value at a JSON pointer replaced.
std::string changed(const char* document, const std::string& pointer, const Json& value) {
  return Json::parse(document)
      .patch({{{"op", "replace"}, {"path", pointer}, {"value", value}}})
      .dump();
}

std::string without(const char* document, const std::string& pointer) {
  return Json::parse(document).patch({{{"op", "remove"}, {"path", pointer}}}).dump();
}

TEST(TraceTest, StopsAtTheLimitOrTheLastStep) {
  const Replay replay = replay_text(kCartPole);
  ASSERT_EQ(replay.episodes.size(), 2U);
  EXPECT_EQ(replay.episodes[0].steps.size(), 2U);
  EXPECT_FALSE(replay.episodes[0].steps[1].truncated);
  ASSERT_EQ(replay.episodes[1].steps.size(), 3U);
  EXPECT_TRUE(replay.episodes[1].steps[2].truncated);
  EXPECT_FALSE(replay.episodes[1].steps[1].truncated);
}

TEST(TraceTest, LimitsMayBeLeftOut) {
  Json trace = Json::parse(kCartPole);
  for (Json& episode : trace["episodes"]) {
    episode.erase("max_episode_steps");
    episode.erase("num_steps");
  }
  const Replay replay = replay_text(trace.dump());
  EXPECT_EQ(replay.episodes[0].steps.size(), 2U);
  EXPECT_TRUE(replay.episodes[1].steps.back().terminated);
}

void expect_refused(const std::string& text, std::initializer_list<std::string> parts) {
  SCOPED_TRACE(text);
  expect_usage_error([&] { replay_text(text); }, parts);
}

TEST(TraceTest, LocatesWhatIsNotATrace) {
  expect_refused("{\"env_id\": ", {"trace.json", "not valid JSON"});
  expect_refused("[1]", {"trace.json", "object"});
  expect_refused(without(kCartPole, "/env_id"), {"trace.json", "lacks", "\"env_id\""});
  expect_refused(without(kCartPole, "/episodes"), {"lacks", "\"episodes\""});
  expect_refused(changed(kCartPole, "/env_id", "CartPole-v0"), {"trace.json", "CartPole-v1"});
  expect_refused(changed(kCartPole, "/env_id", 1), {"env_id", "a text"});
  expect_refused(changed(kCartPole, "/episodes", 1), {"episodes", "an array"});
}

TEST(TraceTest, LocatesMissingFieldsOfAnEpisode) {
  expect_refused(without(kCartPole, "/episodes/1/name"), {"episode 2", "\"name\""});
  expect_refused(without(kCartPole, "/episodes/1/init"), {"episode 2", "second", "\"init\""});
  expect_refused(without(kCartPole, "/episodes/0/actions"), {"episode 1", "first", "\"actions\""});
  expect_refused(without(kCartPole, "/episodes/0/actions/data"), {"episode 1", "\"data\""});
  expect_refused(without(kCartPole, "/episodes/1/actions/value"), {"episode 2", "\"value\""});
  expect_refused(without(kPendulum, "/episodes/0/actions/lo"), {"episode 1", "\"lo\""});
  expect_refused(without(kPendulum, "/episodes/0/init/qvel"), {"swing", "qvel"});
}

TEST(TraceTest, LocatesWrongLimits) {
  const std::string first = "/episodes/0/";
  expect_refused(changed(kCartPole, first + "num_steps", 0), {"num_steps", "at least 1", "0"});
  expect_refused(changed(kCartPole, first + "num_steps", 3), {"actions.data", "num_steps = 3"});
  expect_refused(changed(kCartPole, first + "max_episode_steps", 1.5),
                 {"episode 1", "max_episode_steps", "1.5"});
}

TEST(TraceTest, LocatesWrongActions) {
  const std::string actions = "/episodes/0/actions/";
  expect_refused(changed(kCartPole, actions + "kind", "explicite"), {"actions.kind", "explicit"});
  expect_refused(changed(kCartPole, actions + "data", Json::array()),
                 {"actions.data", "at least one action"});
  expect_refused(changed(kCartPole, actions + "data/1", "NaN"), {"actions.data[1]", "step 2"});
  expect_refused(changed(kCartPole, actions + "data/1", 2), {"step 2", "0 to 1", "CartPole-v1"});
  expect_refused(changed(kCartPole, actions + "data/1", 0.5), {"step 2", "0 to 1", "0.5"});
  expect_refused(changed(kCartPole, actions + "data/1", {0, 1}), {"step 2", "1 numbers", "2"});
  expect_refused(changed(kPendulum, actions + "K", {1, 2}), {"actions.K", "4 numbers"});
  expect_refused(changed(kPendulum, actions + "lo", 2), {"actions.lo", "at most"});
  expect_refused(changed(kPendulum, actions + "kind", "bang_bang"), {"bang_bang", "discrete"});
  expect_refused(changed(kPendulum, "/episodes/0/actions", {{"kind", "constant"}, {"value", 1e39}}),
                 {"actions.value", "float32"});
}

TEST(TraceTest, LocatesWrongStates) {
  expect_refused(changed(kCartPole, "/episodes/0/init/state", {1, 2}),
                 {"episode 1", "state", "4 numbers"});
  expect_refused(changed(kCartPole, "/episodes/0/init/state/2", nullptr),
                 {"init.state[2]", "null"});
}

TEST(TraceTest, ErrorsNameTheEnvironment) {
  expect_refused(changed(kCartPole, "/episodes/0/actions/data/1", "NaN"), {"(CartPole-v1)"});
  expect_refused(changed(kPendulum, "/episodes/0/init/qpos/1", nullptr), {"(InvertedPendulum-v4)"});
}

TEST(TraceTest, RefusesARecordingOfAnotherEnvironment) {
  Json trace = Json::parse(kPendulum);
  trace["xml"] = "inverted_pendulum.xml";
  trace["observation_space"] = {{"shape", {4}}};
  EXPECT_EQ(replay_text(trace.dump()).episodes.size(), 1U);
  trace["xml"] = "hopper.xml";
  expect_refused(trace.dump(), {"InvertedPendulum-v4", "another environment", "hopper.xml",
                                "inverted_pendulum.xml"});
  trace.erase("xml");
  trace["observation_space"] = {{"shape", {11}}};
  expect_refused(trace.dump(), {"another environment", "11 observations instead of 4"});
  trace["observation_space"] = {{"shape", 11}};
  expect_refused(trace.dump(), {"observation_space.shape", "an array"});
}

TEST(TraceTest, StopsWhereTheSimulationBreaksDown) {
  const std::string text = changed(kPendulum, "/episodes/0/init/qvel/0", 1e300);
  const std::string message = message_of<NumericalError>([&] { replay_text(text); });
  for (const char* part : {"InvertedPendulum-v4", "swing", "step 1", "diverged"}) {
    EXPECT_NE(message.find(part), std::string::npos) << message;
  }
}

TEST(TraceTest, RefusesNumbersThatJsonDoesNotHave) {
  std::string text = kCartPole;
  text.replace(text.find("[0, 1]"), 6, "[0, NaN]");
  expect_usage_error([&] { replay_text(text); }, {"trace.json", "line 5"});
}

TEST(TraceTest, RefusesAMissingFile) {
  const TemporaryFolder folder;
  expect_usage_error([&] { read_trace(folder / "absent.json"); }, {"absent.json"});
}

TEST(TraceTest, OptionsReachTheEnvironment) {
  Json trace = Json::parse(kCartPole);
  trace["options"] = {{"sutton_barto_reward", true}};
  EXPECT_EQ(replay_text(trace.dump()).episodes[0].steps[0].reward, 0.0);
  trace["options"] = {{"sutton_reward", true}};
  expect_usage_error([&] { replay_text(trace.dump()); }, {"trace.json", "sutton_barto_reward"});
}

}  // namespace
}  // namespace lpdm
