// `lpdm sweep` from outside: what it runs, skips, resumes, survives and refuses.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "core/available_memory.h"
#include "io/json_text.h"
#include "io/temporary_folder.h"
#include "lpdm/memory_plan.h"
#include "tools/program.h"

namespace lpdm {
namespace {

namespace fs = std::filesystem;

class SweepTest : public ::testing::Test {
 protected:
  void SetUp() override {
    put_file(folder_ / "small.json",
             R"({"network": {"hidden": [8]}, "run": {"iterations": 60, "checkpoint_every": 5}})");
    put_file(folder_ / "frozen.json", R"({"network": {"hidden": [8]},
                                         "hidden": {"method": "frozen"},
                                         "run": {"iterations": 60}})");
  }

  std::string config(const std::string& name) const {
    return (folder_ / (name + ".json")).string();
  }
  fs::path out() const { return folder_ / "out"; }
  fs::path run(const std::string& name, int seed) const {
    return out() / name / fmt::format("seed-{}", seed);
  }
  std::string sweep(const std::string& configs, const std::string& more) const {
    std::string command = "sweep";
    for (const std::string name : {"small", "frozen", "other"}) {
      if (configs.find(name) != std::string::npos) command += " '" + config(name) + "'";
    }
    return fmt::format("{} --out '{}' {}", command, out().string(), more);
  }
  Json report() const { return parse_json(file_text(out() / "sweep.json"), "sweep.json"); }

  // metrics.jsonl without its timings.
  static std::vector<Json> metrics(const fs::path& run) {
    std::vector<Json> lines;
    std::ifstream file(run / "metrics.jsonl");
    for (std::string line; std::getline(file, line);) {
      Json fields = parse_json(line, "metrics");
      fields.erase("rollout_seconds");
      fields.erase("update_seconds");
      lines.push_back(fields);
    }
    return lines;
  }
  void expect_like_train(const std::string& name, int seed, const std::string& more = "") const {
    const fs::path plain = folder_ / "plain";
    fs::remove_all(plain);
    const Outcome outcome = run_program(fmt::format("train '{}' --seed {} --out '{}' {}",
                                                    config(name), seed, plain.string(), more));
    ASSERT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_EQ(metrics(run(name, seed)), metrics(plain)) << name << " seed " << seed;
  }
  // Starts a sweep that would take long, and sends `signal` to it once two runs have saved
  // something.
  Outcome interrupt(const std::string& signal) const {
    const fs::path err = folder_ / "err";
    Outcome outcome = run_program(fmt::format(
        "{} 2>'{}' & pid=$!; while ! [ -s '{}' ] || ! [ -s '{}' ]; do sleep 0.01; done; "
        "kill -{} $pid; wait $pid",
        sweep("small", "--seeds 0-2 --jobs 2 --set run.iterations=1000000"), err.string(),
        (run("small", 0) / "checkpoints/manifest.json").string(),
        (run("small", 1) / "checkpoints/manifest.json").string(), signal));
    outcome.err = file_text(err);
    return outcome;
  }

  TemporaryFolder folder_;
};

TEST_F(SweepTest, RunsEveryConfigWithEverySeed) {
  const Outcome outcome = run_program(sweep("small frozen", "--seeds 0,3-4 --jobs 2"));
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("\nsmall   3 of 3 "), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("\nfrozen  3 of 3 "), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.err.find("; 5 left, about "), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find("; none left\n"), std::string::npos) << outcome.err;
  expect_like_train("small", 3);
  expect_like_train("frozen", 4);

  const Json small = report()["configs"][0];
  EXPECT_EQ(report()["seeds"], Json::parse("[0, 3, 4]"));
  EXPECT_EQ(small["name"], "small");
  EXPECT_EQ(small["runs"].size(), 3U);
  double best = 0.0;
  for (const Json& fields : small["runs"]) {
    EXPECT_EQ(fields["state"], "complete");
    const Json summary =
        parse_json(file_text(out() / fields["folder"].get<std::string>() / "summary.json"), "");
    EXPECT_EQ(fields["best_mean_50"], summary["best_mean_50"]);
    EXPECT_EQ(fields["seed"], summary["seed"]);
    best += summary["best_mean_50"].get<double>() / 3.0;
  }
  EXPECT_NEAR(small["best_mean"].get<double>(), best, 1e-9);
  const Json config = parse_json(file_text(run("small", 0) / "config.json"), "config");
  EXPECT_EQ(config["run"]["threads"], 1);
}

TEST_F(SweepTest, SkipsWhatIsCompleteAndResumesWhatIsNot) {
  ASSERT_EQ(run_program(sweep("small", "--seeds 0-1")).status, 0);
  const Outcome again = run_program(sweep("small", "--seeds 0-1"));
  EXPECT_EQ(again.status, 0);
  EXPECT_NE(again.err.find("2 runs, 2 complete already"), std::string::npos) << again.err;
  EXPECT_NE(again.out.find("\nsmall   2 of 2 "), std::string::npos) << again.out;
  fs::remove_all(run("small", 1) / "checkpoints");  // as if killed before the first one
  const Outcome longer = run_program(sweep("small", "--seeds 0-2 --set run.iterations=70"));
  EXPECT_EQ(longer.status, 0) << longer.err;
  EXPECT_NE(longer.err.find("3 runs, 0 complete already"), std::string::npos) << longer.err;
  for (const int seed : {0, 1, 2}) expect_like_train("small", seed, "--set run.iterations=70");
}

TEST_F(SweepTest, RunsThatReachedTheirReturnAreComplete) {
  const std::string more = "--seeds 0-1 --set run.iterations=500 --set run.stop_return=5";
  ASSERT_EQ(run_program(sweep("small", more)).status, 0);
  EXPECT_LT(report()["configs"][0]["runs"][0]["iterations"], 500);
  const Outcome again = run_program(sweep("small", more));
  EXPECT_NE(again.err.find("2 runs, 2 complete already"), std::string::npos) << again.err;
}

TEST_F(SweepTest, AFailedRunIsNamedAndStopsNoOther) {
  fs::create_directories(run("small", 1));
  put_file(run("small", 1) / "notes.txt", "mine");
  const Outcome outcome = run_program(sweep("small", "--seeds 0-2 --jobs 1"));
  EXPECT_EQ(outcome.status, 1);
  EXPECT_NE(outcome.err.find("small seed 1 failed: \""), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find("is not empty"), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find("lpdm: 1 of 3 runs failed"), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.out.find("\nsmall   2 of 3 "), std::string::npos) << outcome.out;
  EXPECT_EQ(report()["configs"][0]["runs"][1]["state"], "failed");
  EXPECT_EQ(file_text(run("small", 1) / "notes.txt"), "mine");
  expect_like_train("small", 2);
}

TEST_F(SweepTest, ASignalStopsAllRunsWhichSaveAndGoOn) {
  const Outcome outcome = interrupt("TERM");
  EXPECT_EQ(outcome.status, 143) << outcome.err;
  const std::string go_on = "go on with: lpdm sweep ";
  ASSERT_NE(outcome.err.find(go_on), std::string::npos) << outcome.err;
  const std::vector<Json> first = metrics(run("small", 0));
  const std::vector<Json> second = metrics(run("small", 1));
  for (const int seed : {0, 1}) {
    const Json summary = parse_json(file_text(run("small", seed) / "summary.json"), "summary");
    EXPECT_EQ(summary["iterations"], metrics(run("small", seed)).size());
  }
  EXPECT_FALSE(fs::exists(run("small", 2)));
  EXPECT_EQ(report()["configs"][0]["seeds"], 0);
  const std::size_t longest = std::max(first.size(), second.size());
  const std::string more = fmt::format("--set run.iterations={}", longest + 3);
  ASSERT_EQ(run_program(sweep("small", "--seeds 0-1 " + more)).status, 0);
  EXPECT_EQ(metrics(run("small", 0)).size(), longest + 3);
  EXPECT_EQ(metrics(run("small", 1)).size(), longest + 3);
}

TEST_F(SweepTest, RunsSaveAndEndWhenTheSweepIsKilled) {
  interrupt("KILL");
  constexpr int kTries = 1000;  // of 10 ms
  const fs::path summary = run("small", 0) / "summary.json";
  const Outcome waited = run_program(
      fmt::format("info >/dev/null; for i in $(seq {}); do [ -s '{}' ] && break; sleep 0.01; done",
                  kTries, summary.string()));
  EXPECT_EQ(waited.status, 0);
  ASSERT_TRUE(fs::exists(summary));
  EXPECT_LT(parse_json(file_text(summary), "summary")["iterations"].get<int>(), 1000000);
}

TEST_F(SweepTest, WhatIsWrongIsSaidBeforeAnythingStarts) {
  for (const std::string seeds : {"x", "5-2", "1,1", "0-1,", "0-99999", "1.5", "-3"}) {
    expect_error(sweep("small", "--seeds='" + seeds + "'"), 2, "0-19");
  }
  expect_error(sweep("small", ""), 2, "--seeds");
  expect_error(sweep("small", "--seeds 0 --jobs 0"), 2, "--jobs");
  expect_error(sweep("small", "--seeds 0 --set hidden.pears=all"), 2, "hidden.pairs");
  expect_error(sweep("small other", "--seeds 0"), 2, "other.json");
  expect_error(sweep("small", "--seeds 0 --set run.device=tpu"), 2, "cuda");
  fs::create_directories(folder_ / "twin");
  fs::copy_file(folder_ / "small.json", folder_ / "twin" / "small.json");
  expect_error(sweep("small", "--seeds 0 '" + (folder_ / "twin/small.json").string() + "'"), 2,
               "same name");
  const std::string widths = Json(std::vector<int>(64, 65536)).dump();
  expect_error(sweep("small", "--seeds 0 --set network.hidden=" + widths), 2, "small.json");
  EXPECT_FALSE(fs::exists(out()));
  ASSERT_EQ(run_program(sweep("small", "--seeds 0")).status, 0);
  expect_error(sweep("small", "--seeds 0-1 --set head.learning_rate=0.5"), 2, "another config");
  EXPECT_FALSE(fs::exists(run("small", 1)));
}

TEST_F(SweepTest, RunsFewerAtOnceThanMemoryAllows) {
  // Short episodes whose time limit makes a run plan for more than half of what there is.
  Config config = load_config(folder_ / "frozen.json");
  config.run.threads = 1;
  const std::string more = "--set run.diagnostics_every=0";
  config.run.diagnostics_every = 0;
  config.env.max_episode_steps = 1000;
  while (plan_memory(config).total() < *available_memory() / 100 * 55) {
    config.env.max_episode_steps += config.env.max_episode_steps / 20;
  }
  const Outcome outcome = run_program(
      sweep("frozen", fmt::format("--seeds 0-1 --jobs 2 {} --set env.max_episode_steps={}", more,
                                  config.env.max_episode_steps)));
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_NE(outcome.err.find("1 at once instead of 2: "), std::string::npos) << outcome.err;
}

// Configs of one name in two folders keep apart.
TEST_F(SweepTest, AFolderMeansAllConfigsBelowIt) {
  for (const std::string algorithm : {"reinforce", "reinforce_baseline"}) {
    fs::create_directories(folder_ / "paper" / algorithm);
    put_file(folder_ / "paper" / algorithm / "small.json",
             fmt::format(R"({{"network": {{"hidden": [8]}}, "algorithm": {{"name": "{}"}},
                             "run": {{"iterations": 3}}}})",
                         algorithm));
    put_file(folder_ / "paper" / "generate.py", "not a config");
  }
  const std::string command =
      fmt::format("sweep '{}' --seeds 0 --out '{}'", (folder_ / "paper").string(), out().string());
  const Outcome outcome = run_program(command);
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(metrics(run("reinforce/small", 0)).size(), 3U);
  EXPECT_EQ(metrics(run("reinforce_baseline/small", 0)).size(), 3U);
  EXPECT_EQ(report()["configs"].size(), 2U);
  EXPECT_NE(run_program(command).err.find("2 complete already"), std::string::npos);
  fs::create_directories(folder_ / "none");
  expect_error(fmt::format("sweep '{}' --seeds 0", (folder_ / "none").string()), 2, "no configs");
}

}  // namespace
}  // namespace lpdm
