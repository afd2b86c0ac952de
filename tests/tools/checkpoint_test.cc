// What a run leaves on disk when it is killed or its files are damaged: never less than the
// checkpoint before.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "io/checksum.h"
#include "io/run_lock.h"
#include "lpdm/random.h"
#include "tools/run_fixture.h"

namespace lpdm {
namespace {

namespace fs = std::filesystem;

class CheckpointTest : public RunFixture {
 protected:
  CheckpointTest() : RunFixture(60) {}

  Json manifest(const std::string& name) const {
    return parse_json(file_text(out(name) / "checkpoints/manifest.json"), "manifest");
  }
  double uniform() { return random_.uniform(); }

  RandomStream random_{11, {.purpose = StreamPurpose::kBenchmark}};
};

TEST_F(CheckpointTest, TheNewestFewAndTheBestAreKept) {
  expect_trained("run",
                 "--set run.iterations=120 --set run.checkpoint_every=10 "
                 "--set run.keep_checkpoints=2");
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(out("run") / "checkpoints")) {
    names.push_back(entry.path().filename().string());
  }
  std::ranges::sort(names);
  EXPECT_EQ(names, (std::vector<std::string>{"best.safetensors", "iteration-000000110.safetensors",
                                             "iteration-000000120.safetensors", "manifest.json"}));
  const Json listed = manifest("run");
  EXPECT_EQ(listed["format"], "lpdm-checkpoints-1");
  EXPECT_EQ(listed["checkpoints"].size(), 2U);
  EXPECT_EQ(listed["checkpoints"][1]["iteration"], 120);
  EXPECT_GE(listed["best"]["return_mean"], listed["checkpoints"][1]["return_mean"]);
  EXPECT_EQ(run_program("eval '" + out("run").string() + "' --best").status, 0);
}

TEST_F(CheckpointTest, TheBestOutlivesAResume) {
  expect_trained("run", "--set run.iterations=100 --set run.checkpoint_every=10");
  const fs::path best = out("run") / "checkpoints/best.safetensors";
  TensorFile file = find_checkpoint(out("run"), WhichCheckpoint::kBest).file;
  file.metadata["return_mean"] = "1e6";  // no later one will be better
  save_with_checksum(best, file);
  const std::string kept = file_text(best);
  expect_trained("run", "--resume --set run.iterations=130");
  EXPECT_EQ(file_text(best), kept);
  EXPECT_EQ(manifest("run")["best"]["return_mean"], 1e6);
}

// What lies beyond where a run goes on belongs to a course that has been left.
TEST_F(CheckpointTest, LaterCheckpointsOfAnAbandonedCourseAreForgotten) {
  expect_trained("run", "--set run.iterations=60 --set run.checkpoint_every=10");
  put_file(checkpoint("run"), "damaged");
  put_file(out("run") / "checkpoints/iteration-mine.safetensors", "not ours");
  const std::string more = "--resume --set run.keep_checkpoints=1 --set run.checkpoint_every=1";
  EXPECT_EQ(run_program(train("run", more + " --set run.iterations=51")).status, 0);
  EXPECT_EQ(checkpoint("run").filename(), "iteration-000000051.safetensors");
  EXPECT_TRUE(find_checkpoint(out("run")).damaged.empty());
  EXPECT_EQ(manifest("run")["checkpoints"].size(), 1U);
  EXPECT_EQ(file_text(out("run") / "checkpoints/iteration-mine.safetensors"), "not ours");
}

TEST_F(CheckpointTest, ARunIsWrittenByOneProgramAtATime) {
  expect_trained("run", "--set run.iterations=2");
  const RunLock lock(out("run"));
  expect_error(train("run", "--resume --set run.iterations=3"), 2, "another program");
}

TEST_F(CheckpointTest, ARunThatWasKilledAtOnceStartsAgain) {
  fs::create_directory(out("run"));
  put_file(out("run") / "metrics.jsonl", "");
  expect_trained("run", "--set run.iterations=2");
}

// Kills the run at any moment, as often as it takes to get to its end.
TEST_F(CheckpointTest, KilledAtAnyMomentARunGoesOnAsIfItNeverStopped) {
  for (const std::string more : {"",
                                 "--set algorithm.name=ppo --set algorithm.ppo.horizon=64 "
                                 "--set env.id=InvertedPendulum-v4 --set env.count=2"}) {
    SCOPED_TRACE(more);
    const std::string all = more + " --set run.iterations=400 --set run.checkpoint_every=7";
    fs::remove_all(out("whole"));
    fs::remove_all(out("killed"));
    expect_trained("whole", all);
    int kills = 0;
    for (int attempt = 0; attempt < 25; ++attempt) {
      const bool resume = has_checkpoint(out("killed"));
      if (!resume) fs::remove_all(out("killed"));
      const Outcome outcome = run_program(fmt::format(
          "info >/dev/null; timeout --signal=KILL {:.3f} '{}' {}", 0.02 + 0.1 * uniform(),
          LPDM_PROGRAM, train("killed", all + (resume ? " --resume" : ""))));
      if (outcome.status == 0) break;
      ASSERT_EQ(outcome.status, 137) << outcome.err;
      EXPECT_EQ(outcome.err.find("warning"), std::string::npos) << outcome.err;
      ++kills;
    }
    EXPECT_GE(kills, 2);
    const bool resume = has_checkpoint(out("killed"));
    if (!resume) fs::remove_all(out("killed"));
    expect_trained("killed", all + (resume ? " --resume" : ""));
    EXPECT_EQ(metrics("whole"), metrics("killed"));
    EXPECT_EQ(file_text(checkpoint("whole")), file_text(checkpoint("killed")));
    EXPECT_EQ(find_checkpoint(out("whole"), WhichCheckpoint::kBest).file,
              find_checkpoint(out("killed"), WhichCheckpoint::kBest).file);
    EXPECT_EQ(manifest("whole"), manifest("killed"));
  }
}

// Any damage to the newest checkpoint is noticed, and the one before takes its place.
TEST_F(CheckpointTest, DamagedCheckpointsGiveWayToTheOneBefore) {
  expect_trained("run", "--set run.checkpoint_every=20");
  const fs::path newest = find_checkpoint(out("run")).path;
  const std::string whole = file_text(newest);
  const fs::path before = out("run") / "checkpoints/iteration-000000040.safetensors";
  const TensorFile intact = find_checkpoint(out("run")).file;
  for (int damage = 0; damage < 200; ++damage) {
    std::string bytes = whole;
    const auto at = static_cast<std::size_t>(uniform() * static_cast<double>(bytes.size()));
    switch (damage % 4) {
      case 0:
        bytes.resize(at);
        break;
      case 1:
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << static_cast<int>(uniform() * 8.0)));
        break;
      case 2:
        bytes.replace(at, 16, 16, '\0');
        break;
      default:
        bytes.insert(at, "damage");
    }
    put_file(newest, bytes);
    const FoundCheckpoint found = find_checkpoint(out("run"));
    if (found.damaged.empty()) {
      EXPECT_EQ(found.file, intact);  // the bytes say the same in other words
    } else {
      EXPECT_EQ(found.path, before);
      EXPECT_NE(found.damaged.front().find("iteration-000000060"), std::string::npos);
    }
  }
  put_file(newest, whole.substr(0, whole.size() / 2));
  const Outcome resumed = run_program(train("run", "--resume --set run.iterations=70"));
  EXPECT_EQ(resumed.status, 0);
  EXPECT_NE(resumed.err.find("warning: "), std::string::npos) << resumed.err;
  EXPECT_NE(resumed.err.find("going on with"), std::string::npos) << resumed.err;
  expect_trained("whole", "--set run.iterations=70 --set run.checkpoint_every=20");
  EXPECT_EQ(metrics("run"), metrics("whole"));
}

TEST_F(CheckpointTest, WhereNothingCanBeUsedASentenceSaysSo) {
  expect_trained("run", "--set run.iterations=2");
  const fs::path only = find_checkpoint(out("run")).path;
  put_file(only, "");
  expect_error("eval '" + out("run").string() + "'", 2, only.filename().string());
  expect_error(train("run", "--resume"), 2, only.filename().string());
  expect_error("eval '" + out("run").string() + "' --best", 2, "has no best checkpoint");
  fs::remove(only);
  expect_error("eval '" + out("run").string() + "'", 2, "holds no checkpoint");
}

// Runs of programs that kept a single checkpoint without a checksum go on.
TEST_F(CheckpointTest, ARunOfTheFirstFormatGoesOn) {
  expect_trained("whole");
  expect_trained("run", "--set run.iterations=20");
  TensorFile file = find_checkpoint(out("run")).file;
  fs::remove_all(out("run") / "checkpoints");
  file.metadata.clear();
  file.metadata["format"] = "lpdm-checkpoint-1";
  save_safetensors(out("run") / "checkpoint.safetensors", file);
  expect_trained("run", "--resume");
  EXPECT_EQ(metrics("run"), metrics("whole"));
}

}  // namespace
}  // namespace lpdm
