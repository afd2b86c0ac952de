// What a run leaves on disk when it is killed or its files are damaged: never less than the
// checkpoint before.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "io/checksum.h"
#include "io/run_lock.h"
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

// A kill between the two writes leaves a manifest that does not know the best checkpoint yet.
TEST_F(CheckpointTest, TheBestIsKnownByItsFileWhateverTheManifestSays) {
  const std::string settings = "--set run.iterations=120 --set run.checkpoint_every=10";
  expect_trained("run", settings);
  const fs::path path = out("run") / "checkpoints/manifest.json";
  const std::string whole = file_text(path);
  for (const char* damage : {R"({"format": "lpdm-checkpoints-1", "best": {"iteration": 3}})", ""}) {
    put_file(path, damage);
    expect_trained("run", settings + " --resume");
    EXPECT_EQ(file_text(path), whole);
  }
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
  put_file(out("run") / ".lpdm-4711-0.tmp", "half a config");
  expect_trained("run", "--set run.iterations=2");
}

// Until there is a checkpoint, a run that goes on starts again.
TEST_F(CheckpointTest, ARunThatWasKilledBeforeItsFirstCheckpointIsResumedFromItsStart) {
  expect_trained("whole");
  expect_trained("run", "--set run.iterations=3");
  fs::remove_all(out("run") / "checkpoints");
  expect_trained("run", "--resume");
  EXPECT_EQ(metrics("run"), metrics("whole"));
}

TEST_F(CheckpointTest, WhatKilledProgramsLeftHalfWrittenIsRemoved) {
  expect_trained("run", "--set run.iterations=2");
  const std::vector<fs::path> leftovers = {out("run") / ".lpdm-4711-0.tmp",
                                           out("run") / "checkpoints/.lpdm-4711-3.tmp"};
  for (const fs::path& path : leftovers) put_file(path, "half");
  put_file(out("run") / ".lpdm-notes", "not ours");
  expect_trained("run", "--resume --set run.iterations=3");
  for (const fs::path& path : leftovers) EXPECT_FALSE(fs::exists(path)) << path;
  EXPECT_TRUE(fs::exists(out("run") / ".lpdm-notes"));
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
  const std::string none = "'" + out("none").string() + "'";
  expect_error("eval " + none, 2, "no run folder, it does not exist");
  expect_error(train("other", "--init-from " + none), 2, "no run folder, it does not exist");
  fs::create_directory(out("empty"));
  expect_error("eval '" + out("empty").string() + "'", 2, "no run folder, it has no config.json");
}

TEST_F(CheckpointTest, AnotherFormatIsRefusedAndNamed) {
  expect_trained("run", "--set run.iterations=2");
  TensorFile file = find_checkpoint(out("run")).file;
  file.metadata["format"] = "lpdm-checkpoint-9";
  save_with_checksum(checkpoint("run"), file);
  const std::string run = "'" + out("run").string() + "'";
  for (const std::string& command :
       {"eval " + run, "export --format onnx " + run,
        train("run", "--resume --set run.iterations=3"), train("other", "--init-from " + run)}) {
    expect_error(command, 2, "lpdm-checkpoint-9");
  }
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
