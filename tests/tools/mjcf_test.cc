// A custom environment from the command line: checked, configured, replayed and trained on.
#include <gtest/gtest.h>

#include <sstream>

#include "io/json_text.h"
#include "io/temporary_folder.h"
#include "tools/program.h"

namespace lpdm {
namespace {

namespace fs = std::filesystem;

const fs::path kData = LPDM_TEST_DATA_DIR;
const fs::path kHopper = fs::canonical(kData / "../../configs/environments/hopper.json");

TEST(MjcfCliTest, EnvsShowsACustomEnvironment) {
  const Outcome outcome = run_program(fmt::format("envs 'mjcf:{}'", kHopper.string()));
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("3 in [-1, 1]"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("3800"), std::string::npos) << outcome.out;
  expect_error("envs mjcf:absent.json", 2, "absent.json");
  expect_error("envs Hoper-v4", 2, "Hopper-v4");
}

TEST(MjcfCliTest, EnvsSaysWhatTheMujocoInUseDiffersIn) {
  const Outcome outcome = run_program("envs");
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("MuJoCo 2.3.7: Gymnasium's v4 results to the last bit."),
            std::string::npos)
      << outcome.out;
  EXPECT_NE(outcome.out.find("mjcf:FILE"), std::string::npos) << outcome.out;
}

TEST(MjcfCliTest, ConfigKeepsTheDefinitionAsAnAbsolutePath) {
  const std::string arguments = fmt::format(
      "config --json --set env.id=mjcf --set 'env.definition={}'", fs::relative(kHopper).string());
  const Outcome outcome = run_program(arguments);
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const Json env = parse_json(outcome.out, "config").at("env");
  EXPECT_EQ(env.at("id"), "mjcf");
  EXPECT_EQ(fs::weakly_canonical(env.at("definition").get<std::string>()), kHopper);
  expect_error("config --set env.id=Hopper-v4 --set env.definition=mine.json", 2,
               "env.definition is \"mine.json\", expected \"\" unless env.id is mjcf");
  expect_error("config --set env.id=mjfc", 2, "nearest valid value: mjcf");
}

TEST(MjcfCliTest, Trains) {
  const TemporaryFolder folder;
  const fs::path out = folder / "run";
  const Outcome trained = run_program(fmt::format(
      "train --out '{}' '{}' --set env.id=mjcf --set 'env.definition={}' --set run.iterations=3 "
      "--set network.hidden=[8,8]",
      out.string(), (kData / "../../configs/hopper-lpdm.json").string(), kHopper.string()));
  ASSERT_EQ(trained.status, 0) << trained.err;
  const Outcome evaluated = run_program(fmt::format("eval '{}' --episodes 2 --json", out.string()));
  ASSERT_EQ(evaluated.status, 0) << evaluated.err;
  EXPECT_GT(parse_json(evaluated.out, "eval").at("length_mean").get<double>(), 1.0);
  expect_error(fmt::format("train --out '{}' '{}' --set env.id=mjcf", (folder / "x").string(),
                           (kData / "../../configs/hopper-lpdm.json").string()),
               2, "env.definition");
  EXPECT_FALSE(fs::exists(folder / "x"));
}

// The twin that learns on the built-in Hopper-v4 sees the same numbers.
TEST(MjcfCliTest, TrainsLikeItsTwin) {
  const TemporaryFolder folder;
  const auto metrics = [&](const std::string& name, const std::string& environment) {
    const Outcome outcome = run_program(
        fmt::format("train --out '{}' '{}' {} --set run.iterations=2 --set network.hidden=[8,8]",
                    (folder / name).string(), (kData / "../../configs/hopper-lpdm.json").string(),
                    environment));
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    std::vector<Json> losses;
    std::istringstream lines(file_text(folder / name / "metrics.jsonl"));
    for (std::string line; std::getline(lines, line);) {
      const Json iteration = parse_json(line, "metrics");
      losses.push_back({iteration.at("return_mean"), iteration.at("policy_loss")});
    }
    return losses;
  };
  EXPECT_EQ(metrics("custom",
                    fmt::format("--set env.id=mjcf --set 'env.definition={}'", kHopper.string())),
            metrics("built-in", "--set env.id=Hopper-v4"));
}

TEST(MjcfCliTest, ReplaysATrace) {
  const TemporaryFolder folder;
  Json trace = parse_json(file_text(kData / "envs/Hopper-v4.json"), "trace");
  trace["env_id"] = "mjcf:" + kHopper.string();
  put_file(folder / "trace.json", trace.dump());
  const Outcome outcome = run_program(fmt::format("replay '{}'", (folder / "trace.json").string()));
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const Json replay = parse_json(outcome.out, "replay");
  EXPECT_EQ(replay.at("env_id"), trace.at("env_id"));
  EXPECT_EQ(replay.at("episodes").size(), trace.at("episodes").size());
}

}  // namespace
}  // namespace lpdm
