// The program as a user meets it: exit statuses, one-sentence errors, help, config and info.
#include <gtest/gtest.h>

#include <string>

#include "io/json_text.h"
#include "io/temporary_folder.h"
#include "lpdm/config.h"
#include "tools/program.h"

namespace lpdm {
namespace {

TEST(CliTest, WithoutACommandPrintsHelpAndFails) {
  const Outcome outcome = run_program("");
  EXPECT_EQ(outcome.status, 2);
  EXPECT_EQ(outcome.out, "");
  EXPECT_NE(outcome.err.find("Subcommands:"), std::string::npos) << outcome.err;
}

TEST(CliTest, EveryCommandHasHelpWithAnExample) {
  for (const std::string command : {"",
                                    "train",
                                    "sweep",
                                    "eval",
                                    "play",
                                    "export",
                                    "plot",
                                    "report",
                                    "watch",
                                    "distances",
                                    "replay",
                                    "loss",
                                    "bench",
                                    "bench local-loss",
                                    "bench rollout",
                                    "bench train",
                                    "profile",
                                    "envs",
                                    "config",
                                    "info",
                                    "completion"}) {
    SCOPED_TRACE(command);
    const Outcome outcome = run_program(command + " --help");
    EXPECT_EQ(outcome.status, 0);
    EXPECT_EQ(outcome.err, "");
    const std::size_t example = outcome.out.find("Example");
    ASSERT_NE(example, std::string::npos) << outcome.out;
    EXPECT_NE(outcome.out.find("lpdm " + command, example), std::string::npos) << outcome.out;
  }
}

TEST(CliTest, BadUsageIsStatus2) {
  expect_error("trian", 2, "\"train\"");
  expect_error("--bogus", 2, "--bogus");
  expect_error("config --jsno", 2, "\"--json\"");
  expect_error("config a b", 2, "\"b\"");
  expect_error("config --set", 2, "--set");
  expect_error("config --set run.sead=1", 2, "\"run.seed\"");
  expect_error("config missing.json", 2, "missing.json");
  expect_error("config /", 2, "folder");
  expect_error("train", 2, "config");
  expect_error("train missing.json", 2, "missing.json");
}

TEST(CliTest, ConfigListsEveryKey) {
  const Outcome outcome = run_program("config");
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(outcome.err, "");
  for (const ConfigEntry& entry : describe_config(Config{})) {
    EXPECT_NE(outcome.out.find("\n" + entry.key + " "), std::string::npos) << entry.key;
  }
}

TEST(CliTest, ConfigMarksWhatDiffers) {
  const TemporaryFolder folder;
  put_file(folder / "a.json", "{\"run\": {\"iterations\": 77}} // short");
  const Outcome outcome =
      run_program("config '" + (folder / "a.json").string() + "' --set hidden.guided=true");
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("\n*  run.iterations"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("\n*  hidden.guided"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("\n   run.seed"), std::string::npos) << outcome.out;
}

TEST(CliTest, ConfigPrintsTheResolvedConfig) {
  const Outcome outcome = run_program("config --json --set run.seed=3 --set env.id=Hopper-v4");
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  Config expected;
  expected.run.seed = 3;
  expected.env.id = "Hopper-v4";
  EXPECT_EQ(outcome.out, dump_config(expected));
}

TEST(CliTest, ConfigPredictsTheMemoryOfARun) {
  const Outcome outcome =
      run_program("config --memory --set env.max_episode_steps=321 --set run.threads=1");
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("\nactivations "), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("updates of up to 321 rows"), std::string::npos) << outcome.out;
}

TEST(CliTest, InfoNamesTheLibraries) {
  const Outcome outcome = run_program("info --json");
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  const Json info = parse_json(outcome.out, "info");
  for (const std::string key : {"version", "commit", "compiler", "build_type", "mujoco", "openblas",
                                "simd", "hardware_threads", "models"}) {
    EXPECT_FALSE(info.at(key).get<std::string>().empty()) << key;
  }
  EXPECT_EQ(run_program("info").status, 0);
}

TEST(CliTest, AFullDiskUnderTheOutputIsStatus1) {
  for (const std::string arguments : {"config", "config --json", "info"}) {
    SCOPED_TRACE(arguments);
    const Outcome outcome = run_program(arguments, "/dev/full");
    EXPECT_EQ(outcome.status, 1);
    EXPECT_NE(outcome.err.find("standard output"), std::string::npos) << outcome.err;
  }
}

}  // namespace
}  // namespace lpdm
