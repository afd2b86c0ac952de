// `lpdm train` and `lpdm eval` from outside: the run folder, determinism, resume, signals, errors.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tools/run_fixture.h"

namespace lpdm {
namespace {

namespace fs = std::filesystem;

class TrainTest : public RunFixture {
 protected:
  TrainTest() : RunFixture(30) {}
};

TEST_F(TrainTest, LeavesAFolderWithEverythingAboutTheRun) {
  expect_trained("run");
  const std::vector<Json> lines = metrics("run");
  ASSERT_EQ(lines.size(), 30U);
  std::int64_t steps = 0;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    EXPECT_EQ(lines[i]["iteration"], i + 1);
    EXPECT_EQ(lines[i]["episodes"], 1);
    EXPECT_EQ(lines[i]["return_mean"], lines[i]["length_mean"]);
    steps += lines[i]["length_mean"].get<std::int64_t>();
    EXPECT_EQ(lines[i]["env_steps"], steps);
    ASSERT_EQ(lines[i]["layers"].size(), 2U);
    EXPECT_EQ(lines[i]["layers"][0]["loss"].is_null(), i % 10 != 0);
  }
  const Json summary = parse_json(file_text(out("run") / "summary.json"), "summary");
  EXPECT_EQ(summary["iterations"], 30);
  EXPECT_EQ(summary["env_steps"], steps);
  EXPECT_TRUE(summary["best_mean_50"].is_null());  // fewer than 50 iterations
  EXPECT_GT(summary["last_mean_50"].get<double>(), 5.0);
  const Json config = parse_json(file_text(out("run") / "config.json"), "config");
  EXPECT_EQ(config["network"]["hidden"], Json::parse("[12, 20]"));
  EXPECT_EQ(config["hidden"]["scale"], "own");

  const Outcome outcome =
      run_program(fmt::format("eval '{}' --episodes 3 --json", out("run").string()));
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const Json report = parse_json(outcome.out, "eval");
  EXPECT_EQ(report["episodes"], 3);
  EXPECT_EQ(report["return_mean"], report["length_mean"]);
}

TEST_F(TrainTest, TheSameSeedGivesTheSameMetricsForAnyNumberOfThreads) {
  expect_trained("one", "--threads 1 --seed 5");
  expect_trained("two", "--threads 2 --seed 5");
  EXPECT_EQ(metrics("one"), metrics("two"));
  EXPECT_EQ(file_text(checkpoint("one")), file_text(checkpoint("two")));
  expect_trained("other", "--seed 6");
  EXPECT_NE(metrics("one"), metrics("other"));
}

TEST_F(TrainTest, AResumedRunEqualsOneThatNeverStopped) {
  const std::vector<std::pair<std::string, std::string>> runs = {
      {"plain", ""},
      {"landmarks", "--set hidden.pairs=landmarks:4 --set hidden.guided=true"},
      {"normalised",
       "--set env.normalize_observations=true --set env.normalize_rewards=true --set env.count=2"},
      {"baseline", "--set algorithm.name=reinforce_baseline"},
      {"ppo", "--set algorithm.name=ppo --set algorithm.ppo.horizon=40 --set env.count=2"},
      {"ppo-backprop",
       "--set algorithm.name=ppo --set algorithm.ppo.horizon=40 --set hidden.method=backprop "
       "--set run.diagnostics_every=1"},
      {"ppo-hopper",
       "--set algorithm.name=ppo --set algorithm.ppo.horizon=40 --set env.id=Hopper-v4 "
       "--set policy.std=learned --set hidden.batch=buffer --set hidden.pairs=landmarks:4 "
       "--set env.normalize_observations=true --set env.normalize_rewards=true"}};
  for (const auto& [tag, more] : runs) {
    expect_trained(tag + "-whole", more);
    expect_trained(tag + "-parts", more + " --set run.iterations=11");
    const Outcome resumed = run_program(fmt::format(
        "train --resume --out '{}' --set run.iterations=30", out(tag + "-parts").string()));
    ASSERT_EQ(resumed.status, 0) << resumed.err;
    EXPECT_EQ(metrics(tag + "-whole"), metrics(tag + "-parts"));
    EXPECT_EQ(file_text(checkpoint(tag + "-whole")), file_text(checkpoint(tag + "-parts")));
  }
}

TEST_F(TrainTest, ARunEndsWhenItHasLearnt) {
  expect_trained("run", "--set run.iterations=2000 --set run.stop_return=12");
  const std::vector<Json> lines = metrics("run");
  EXPECT_GE(lines.size(), 50U);
  EXPECT_LT(lines.size(), 2000U);
}

TEST_F(TrainTest, ResumeDropsMetricsThatTheCheckpointDoesNotKnow) {
  expect_trained("whole");
  expect_trained("run", "--set run.iterations=10");
  const std::string saved = file_text(checkpoint("run"));
  ASSERT_EQ(run_program(train("run", "--resume --set run.iterations=20")).status, 0);
  put_file(checkpoint("run"), saved);  // as if killed after iteration 20
  ASSERT_EQ(run_program(train("run", "--resume")).status, 0);
  EXPECT_EQ(metrics("run"), metrics("whole"));
}

TEST_F(TrainTest, ASignalSavesAndSaysHowToGoOn) {
  for (const auto& [signal, status] : {std::pair{"TERM", 143}, {"INT", 130}, {"HUP", 129}}) {
    SCOPED_TRACE(signal);
    fs::remove_all(out("run"));
    // A shell has what it starts in the background ignore SIGINT; env takes that back.
    const Outcome outcome = run_program(
        fmt::format("info >/dev/null; env --default-signal=INT,HUP '{}' {} & pid=$!; "
                    "while ! [ -s '{}' ]; do sleep 0.01; done; kill -{} $pid; wait $pid",
                    LPDM_PROGRAM, train("run", "--set run.iterations=1000000"),
                    (out("run") / "metrics.jsonl").string(), signal));
    EXPECT_EQ(outcome.status, status);
    const std::vector<Json> lines = metrics("run");
    ASSERT_FALSE(lines.empty());
    const std::string more = fmt::format("--resume --set run.iterations={}", lines.size() + 3);
    ASSERT_EQ(run_program(train("run", more)).status, 0);
    EXPECT_EQ(metrics("run").size(), lines.size() + 3);
  }
}

TEST_F(TrainTest, ARunUnderNohupOutlivesItsTerminal) {
  const Outcome outcome = run_program(fmt::format(
      "info >/dev/null; nohup '{}' {} & pid=$!; while ! [ -s '{}' ]; do sleep 0.01; done; "
      "kill -HUP $pid; wait $pid",
      LPDM_PROGRAM, train("run"), (out("run") / "metrics.jsonl").string()));
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(metrics("run").size(), 30U);
}

TEST_F(TrainTest, ARunOutlivesTheReaderOfItsMessages) {
  const Outcome outcome =
      run_program(fmt::format("info >/dev/null; '{}' {} 2>&1 >/dev/null | head -n 1", LPDM_PROGRAM,
                              train("run", "--set run.log_every=1")));
  EXPECT_TRUE(outcome.out.starts_with("memory: ")) << outcome.out;
  EXPECT_EQ(metrics("run").size(), 30U);
}

TEST_F(TrainTest, RefusesToOverwriteOrMixRuns) {
  expect_trained("run");
  const std::vector<Json> before = metrics("run");
  expect_error(train("run"), 2, "--resume");
  expect_error(train("run", "--resume --set head.learning_rate=0.5"), 2, "differs");
  expect_error(train("missing", "--resume"), 2, "missing");
  expect_error(train("run", "--resume --set run.iterations=20"), 2, "has made 30 already");
  EXPECT_EQ(metrics("run"), before);
  EXPECT_FALSE(fs::exists(out("missing")));
}

TEST_F(TrainTest, BadInputWritesNothing) {
  expect_error(train("a", "--device tpu"), 2, "cuda");
  expect_error(train("a", "--set env.id=CartPole-v2"), 2, "CartPole-v1");
  expect_error(train("a", "--seed x"), 2, "run.seed");
  expect_error(train("a", "--set network.hidden=[0]"), 2, "network.hidden");
  EXPECT_FALSE(fs::exists(out("a")));
  expect_error("eval '" + out("a").string() + "'", 2, "no run folder");
  expect_error("eval nowhere --episodes 0", 2, "--episodes");
}

TEST_F(TrainTest, ARunThatCannotFitIsRefusedBeforeItStarts) {
  const std::string widths = Json(std::vector<int>(64, 65536)).dump();
  expect_error(train("a", "--set network.hidden=" + widths), 2, "make network.hidden narrower");
  expect_error(train("a",
                     "--set algorithm.episodes_per_update=1000000 "
                     "--set env.max_episode_steps=1000000000"),
               2, "env.max_episode_steps");
  EXPECT_FALSE(fs::exists(out("a")));
}

TEST_F(TrainTest, ACheckpointOfAnotherNetworkIsRefused) {
  expect_trained("run", "--set run.iterations=2");
  expect_trained("wide", "--set run.iterations=2 --set network.hidden=[12,21]");
  fs::copy_file(checkpoint("wide"), checkpoint("run"), fs::copy_options::overwrite_existing);
  expect_error("eval '" + out("run").string() + "'", 2, "hidden.1");
}

TEST_F(TrainTest, ACheckpointWithOtherNormalisationIsRefused) {
  expect_trained("plain", "--set run.iterations=2");
  expect_trained("normalised", "--set run.iterations=2 --set env.normalize_observations=true");
  EXPECT_EQ(run_program("eval '" + out("normalised").string() + "'").status, 0);
  fs::copy_file(out("plain") / "config.json", out("normalised") / "config.json",
                fs::copy_options::overwrite_existing);
  expect_error("eval '" + out("normalised").string() + "'", 2, "statistics");
  expect_trained("returns", "--set run.iterations=2 --set env.normalize_rewards=true");
  fs::copy_file(checkpoint("plain"), checkpoint("returns"), fs::copy_options::overwrite_existing);
  expect_error("eval '" + out("returns").string() + "'", 2, "normalization.returns.count");
}

TEST_F(TrainTest, AFullDiskStopsTheRunAndKeepsWhatWasSaved) {
  expect_trained("run", "--set run.iterations=5 --set run.checkpoint_every=1");
  const std::string saved = file_text(checkpoint("run"));
  const std::string lines = file_text(out("run") / "metrics.jsonl");
  // 16 blocks of 512 bytes: enough for some metrics, too little for a checkpoint.
  const Outcome outcome =
      run_program(fmt::format("config >/dev/null; ulimit -f 16; trap '' XFSZ; '{}' {}",
                              LPDM_PROGRAM, train("run", "--resume --set run.iterations=200")));
  EXPECT_EQ(outcome.status, 1) << outcome.err;
  EXPECT_NE(outcome.err.find("lpdm: "), std::string::npos) << outcome.err;
  EXPECT_EQ(file_text(checkpoint("run")), saved);
  EXPECT_TRUE(file_text(out("run") / "metrics.jsonl").starts_with(lines));
  EXPECT_EQ(run_program("eval '" + out("run").string() + "'").status, 0);
}

TEST_F(TrainTest, AFullDiskUnderStderrDoesNotEndTheRun) {
  const Outcome outcome = run_program(fmt::format(
      "info >/dev/null; '{}' {} 2>/dev/full", LPDM_PROGRAM, train("run", "--set run.log_every=1")));
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(metrics("run").size(), 30U);
}

TEST_F(TrainTest, DamagedMetricsAreNamedOnResume) {
  expect_trained("run", "--set run.iterations=2");
  put_file(out("run") / "metrics.jsonl", "{}\n{}\n");
  expect_error(train("run", "--resume"), 2, "metrics.jsonl: line 1");
}

TEST_F(TrainTest, LossTakesWideLayers) {
  const std::int64_t width = 70000;
  const Json ones(std::vector<int>(static_cast<std::size_t>(width), 1));
  const Json wide{{"cases",
                   {{{"name", "wide"},
                     {"n", 3},
                     {"dim_x", 1},
                     {"dim_in", 1},
                     {"dim_out", width},
                     {"x", {0.0, 0.5, 1.0}},
                     {"h", nullptr},
                     {"w", ones},
                     {"b", ones}}}}};
  put_file(out("wide.json"), wide.dump());
  const Outcome outcome = run_program("loss '" + out("wide.json").string() + "'");
  EXPECT_EQ(outcome.status, 0) << outcome.err;
}

TEST_F(TrainTest, LossWritesTheGoldens) {
  const std::string goldens = std::string(LPDM_TEST_DATA_DIR) + "/loss/updates.json";
  const fs::path result = out("losses.json");
  ASSERT_EQ(run_program(fmt::format("loss '{}' --out '{}'", goldens, result.string())).status, 0);
  const Json written = parse_json(file_text(result), "losses");
  EXPECT_EQ(written["device"], "cpu");
  EXPECT_EQ(written["cases"].size(), 12U);
  expect_error("loss '" + config_.string() + "'", 2, "cases");
  expect_error("loss missing.json", 2, "missing.json");
}

TEST_F(TrainTest, BenchMeasuresBothMethods) {
  const Outcome outcome =
      run_program("bench local-loss --n 70 --hidden 12,20 --repeats 2 --pairs landmarks:8 --json");
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const Json result = parse_json(outcome.out, "bench");
  EXPECT_EQ(result["n"], 70);
  EXPECT_EQ(result["pairs"], "landmarks:8");
  EXPECT_GT(result["lpdm_s"].get<double>(), 0.0);
  EXPECT_GT(result["bp_s"].get<double>(), 0.0);
  EXPECT_LE(result["lpdm_ops_s"].get<double>(), result["lpdm_s"].get<double>());
  EXPECT_GT(result["peak_bytes"].get<std::int64_t>(), 70 * (12 + 20) * 4);
  EXPECT_EQ(run_program("bench local-loss --n 1 --hidden 4 --repeats 1").status, 0);
  expect_error("bench local-loss --pairs some", 2, "hidden.pairs");
  expect_error("bench local-loss --n 0", 2, "--n");
}

TEST_F(TrainTest, BenchRolloutMeasuresAVerifiedRollout) {
  const auto bench = [](const std::string& more) {
    const Outcome outcome = run_program("bench rollout --repeats 2 --json --envs 6 " + more);
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    return parse_json(outcome.out, "bench");
  };
  const Json one = bench("--env Hopper-v4 --steps 600");
  EXPECT_EQ(one["env"], "Hopper-v4");
  EXPECT_EQ(one["envs"], 6);
  EXPECT_EQ(one["steps"], 600);
  EXPECT_GT(one["steps_per_s"].get<double>(), 0.0);
  EXPECT_GT(one["bare_steps_per_s"].get<double>(), 0.0);
  EXPECT_GT(one["ratio_to_bare"].get<double>(), 0.0);
  const Json two = bench("--env Hopper-v4 --steps 600 --threads 2");
  EXPECT_EQ(two["threads"], 2);
  EXPECT_EQ(one["checksum"], two["checksum"]);
  const Json network = bench("--env CartPole-v1 --steps 600 --threads 2 --policy network");
  EXPECT_GT(network["steps_per_s"].get<double>(), 0.0);
  EXPECT_TRUE(network["bare_steps_per_s"].is_null());
  expect_error("bench rollout --env Hoper-v4", 2, "Hopper-v4");
  expect_error("bench rollout --envs 0", 2, "--envs");
  expect_error("bench rollout --policy best", 2, "--policy");
}

}  // namespace
}  // namespace lpdm
