// Every recorded episode of Gymnasium replays with the same bits, or, on another MuJoCo, as closely
// as can be asked.
#include <gtest/gtest.h>

#include "env/golden_comparison.h"
#include "env/goldens.h"
#include "env/replay.h"

namespace lpdm {
namespace {

using Json = nlohmann::json;

class GoldenTest : public testing::TestWithParam<std::filesystem::path> {};

TEST_P(GoldenTest, Replays) {
  const Json expected = read_json(GetParam());
  if (const std::string reason = incomparable(expected["env_id"]); !reason.empty()) {
    GTEST_SKIP() << reason;
  }
  const Replay actual = replay_trace(read_trace(GetParam()));
  EXPECT_EQ(actual.env_id, expected["env_id"]);
  expect_replay(actual, expected);
}

std::string file_name(const testing::TestParamInfo<std::filesystem::path>& file) {
  return test_name(file.param);
}

INSTANTIATE_TEST_SUITE_P(Defaults, GoldenTest, testing::ValuesIn(json_files(golden_folder())),
                         file_name);
INSTANTIATE_TEST_SUITE_P(Options, GoldenTest,
                         testing::ValuesIn(json_files(golden_folder() / "options")), file_name);

TEST(GoldenFilesTest, CoverEveryEnvironment) {
  std::vector<std::string> recorded;
  for (const auto& path : json_files(golden_folder())) recorded.push_back(path.stem().string());
  EXPECT_EQ(recorded, environment_ids());
}

// What is replayed is what the JSON says.
TEST(ReplayJsonTest, NumbersReadBackExactly) {
  const Replay replay = replay_trace(read_trace(golden_folder() / "HalfCheetah-v4.json"));
  const Json json = Json::parse(replay_json(replay));
  EXPECT_EQ(json["env_id"], replay.env_id);
  EXPECT_EQ(json["mujoco"], replay.mujoco);
  ASSERT_EQ(json["episodes"].size(), replay.episodes.size());
  for (std::size_t i = 0; i < replay.episodes.size(); ++i) {
    const ReplayedEpisode& episode = replay.episodes[i];
    const Json& written = json["episodes"][i];
    EXPECT_EQ(written["name"], episode.name);
    EXPECT_EQ(written["obs0"].get<std::vector<double>>(), episode.first_observation);
    ASSERT_EQ(written["steps"].size(), episode.steps.size());
    for (std::size_t k = 0; k < episode.steps.size(); ++k) {
      const Json& row = written["steps"][k];
      ASSERT_EQ(row.size(), 4U);
      EXPECT_EQ(row[0].get<std::vector<double>>(), episode.steps[k].observation);
      EXPECT_EQ(row[1].get<double>(), episode.steps[k].reward);
      EXPECT_EQ(row[2].get<int>(), episode.steps[k].terminated ? 1 : 0);
      EXPECT_EQ(row[3].get<int>(), episode.steps[k].truncated ? 1 : 0);
    }
  }
}

TEST(ReplayJsonTest, HasNoMujocoForClassicControl) {
  const Replay replay = replay_trace(read_trace(golden_folder() / "CartPole-v1.json"));
  EXPECT_TRUE(Json::parse(replay_json(replay))["mujoco"].is_null());
}

}  // namespace
}  // namespace lpdm
