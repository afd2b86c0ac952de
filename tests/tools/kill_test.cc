// A run that is killed (SIGKILL) at any moment: nothing of what it has saved is damaged, and
// resumed it ends as if it had never stopped.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <string>
#include <thread>

#include "io/checkpoint_reader.h"
#include "io/checksum.h"
#include "io/files.h"
#include "io/run_lock.h"
#include "lpdm/error.h"
#include "lpdm/random.h"
#include "tools/rounds.h"
#include "tools/run_fixture.h"

namespace lpdm {
namespace {

namespace fs = std::filesystem;

class KillTest : public RunFixture {
 protected:
  static constexpr int kCheckpointEvery = 7;

  KillTest() : RunFixture(400) {}

  static double seconds_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }

  // Makes the run that is never stopped; returns how long that takes [s].
  double make_whole(const std::string& settings) {
    fs::remove_all(out("whole"));
    const auto start = std::chrono::steady_clock::now();
    expect_trained("whole", settings);
    return seconds_since(start);
  }

  // Starts the run and kills it after `moment` [s]; false if it was faster.
  bool kill_at(double moment, const std::string& settings) {
    const Outcome outcome =
        run_program(fmt::format("info >/dev/null; timeout --signal=KILL {:.4f} '{}' {}", moment,
                                LPDM_PROGRAM, train("killed", settings)));
    EXPECT_TRUE(outcome.status == 0 || outcome.status == 137) << outcome.err;
    wait_for_its_end();
    return outcome.status == 137;
  }

  // A process that was killed holds its files for another moment.
  void wait_for_its_end() const {
    constexpr auto kMoment = std::chrono::milliseconds(10);
    for (int moment = 0; moment < 1000 && fs::exists(out("killed")); ++moment) {
      try {
        const RunLock lock(out("killed"));
        return;
      } catch (const UsageError&) {
        std::this_thread::sleep_for(kMoment);
      }
    }
  }

  void expect_nothing_damaged() const {
    std::error_code none_yet;
    const fs::path folder = out("killed") / "checkpoints";
    for (const auto& entry : fs::directory_iterator(folder, none_yet)) {
      if (is_leftover(entry.path())) continue;
      if (entry.path().extension() == ".safetensors") {
        EXPECT_NO_THROW(load_with_checksum(entry.path())) << entry.path();
      } else {
        EXPECT_NO_THROW(parse_json(file_text(entry.path()), "manifest")) << entry.path();
      }
    }
    for (const char* name : {"config.json", "summary.json"}) {
      if (!fs::exists(out("killed") / name)) continue;
      EXPECT_NO_THROW(parse_json(file_text(out("killed") / name), name));
    }
  }

  // What the run had made is lost from its latest checkpoint on, no more.
  void expect_little_lost() const {
    const auto made = std::ranges::count(file_text(out("killed") / "metrics.jsonl"), '\n');
    const auto due = (made - 1) / kCheckpointEvery * kCheckpointEvery;
    if (due > 0) {
      EXPECT_GE(saved_iteration(find_checkpoint(out("killed")).file), due);
    }
  }

  void expect_as_if_never_stopped() const {
    EXPECT_EQ(metrics("whole"), metrics("killed"));
    EXPECT_EQ(file_text(checkpoint("whole")), file_text(checkpoint("killed")));
    EXPECT_EQ(find_checkpoint(out("whole"), WhichCheckpoint::kBest).file,
              find_checkpoint(out("killed"), WhichCheckpoint::kBest).file);
    const char* manifest = "checkpoints/manifest.json";
    EXPECT_EQ(file_text(out("whole") / manifest), file_text(out("killed") / manifest));
    for (const auto& entry : fs::recursive_directory_iterator(out("killed"))) {
      EXPECT_FALSE(is_leftover(entry.path())) << entry.path();
    }
  }
};

TEST_F(KillTest, AtAnyMomentNothingIsDamagedAndTheRunGoesOnAsIfItHadNeverStopped) {
  const std::array<std::string, 3> algorithms = {
      "", "--set algorithm.name=reinforce_baseline --set value.steps=2",
      "--set algorithm.name=ppo --set algorithm.ppo.horizon=64 "
      "--set env.id=InvertedPendulum-v4 --set env.count=2"};
  RandomStream random(11, {.purpose = StreamPurpose::kBenchmark});
  const int wanted = rounds(6, 50);
  int kills = 0;
  for (int a = 0; a < 3; ++a) {
    const std::string settings =
        fmt::format("{} --threads 1 --set run.checkpoint_every={}",
                    algorithms[static_cast<std::size_t>(a)], kCheckpointEvery);
    const double whole_seconds = make_whole(settings);
    for (const int until = wanted * (a + 1) / 3; kills < until;) {
      fs::remove_all(out("killed"));
      const double moment = whole_seconds * random.uniform();
      SCOPED_TRACE(fmt::format("{} killed after {} s", settings, moment));
      if (!kill_at(moment, settings)) continue;
      ++kills;
      expect_nothing_damaged();
      expect_little_lost();
      const bool begun = fs::exists(out("killed") / "config.json");
      const Outcome outcome = run_program(train("killed", settings + (begun ? " --resume" : "")));
      ASSERT_EQ(outcome.status, 0) << outcome.err;
      EXPECT_EQ(outcome.err.find("warning"), std::string::npos) << outcome.err;
      expect_as_if_never_stopped();
    }
  }
}

}  // namespace
}  // namespace lpdm
