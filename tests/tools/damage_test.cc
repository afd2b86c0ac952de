// Two hundred damaged runs: each goes on with the checkpoint before and a warning, or says in one
// sentence what is wrong.
#include <gtest/gtest.h>

#include <string>

#include "lpdm/random.h"
#include "tools/run_fixture.h"

namespace lpdm {
namespace {

namespace fs = std::filesystem;

class DamageTest : public RunFixture {
 protected:
  DamageTest() : RunFixture(60) {}

  std::size_t below(std::size_t limit) {
    return static_cast<std::size_t>(random_.uniform() * static_cast<double>(limit));
  }

  // Cuts a file off, or changes a bit, sixteen bytes or its length.
  void damage(const fs::path& path) {
    std::string bytes = file_text(path);
    const std::size_t at = below(bytes.size());
    switch (below(4)) {
      case 0:
        bytes.resize(at);
        break;
      case 1:
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(8)));
        break;
      case 2:
        bytes.replace(at, 16, 16, '\0');
        break;
      default:
        bytes.insert(at, "damage");
    }
    put_file(path, bytes);
  }

  fs::path saved(int iteration) const {
    return out("run") / fmt::format("checkpoints/iteration-{:09}.safetensors", iteration);
  }

  // A fresh copy of the undamaged run.
  void restore() const {
    fs::remove_all(out("run"));
    fs::copy(out("intact"), out("run"), fs::copy_options::recursive);
  }

  std::string eval() const { return "eval --episodes 1 '" + out("run").string() + "'"; }

  RandomStream random_{12, {.purpose = StreamPurpose::kBenchmark}};
};

TEST_F(DamageTest, TheCheckpointBeforeTakesThePlaceOfDamagedOnesOrASentenceSaysWhatIsWrong) {
  expect_trained("intact", "--set run.checkpoint_every=20");
  restore();
  const std::string whole = run_program(eval()).out;
  fs::remove(saved(60));
  const std::string before = run_program(eval()).out;
  ASSERT_NE(whole, before);
  int noticed = 0;
  for (int round = 0; round < 200; ++round) {
    restore();
    damage(saved(60));
    const bool all = round % 10 == 0;
    if (all) damage(saved(40));
    if (all) damage(saved(20));
    const Outcome outcome = run_program(eval());
    SCOPED_TRACE(outcome.err);
    if (outcome.err.empty()) {  // the bytes say the same in other words
      EXPECT_EQ(outcome.out, whole);
      continue;
    }
    ++noticed;
    EXPECT_EQ(std::ranges::count(outcome.err, '\n'), all && outcome.status == 0 ? 2 : 1);
    if (outcome.status == 0) {
      EXPECT_TRUE(outcome.err.starts_with("warning: "));
      EXPECT_NE(outcome.err.find("iteration-000000060"), std::string::npos);
      EXPECT_TRUE(all || outcome.out == before) << outcome.out;
    } else {
      EXPECT_EQ(outcome.status, 2);
      EXPECT_TRUE(all);
      EXPECT_TRUE(outcome.err.starts_with("lpdm: "));
    }
  }
  EXPECT_GT(noticed, 190);
}

TEST_F(DamageTest, ADamagedManifestKeepsNobodyFromGoingOn) {
  expect_trained("intact", "--set run.checkpoint_every=20");
  expect_trained("whole", "--set run.iterations=62");
  for (int round = 0; round < 20; ++round) {
    restore();
    damage(out("run") / "checkpoints/manifest.json");
    const Outcome outcome = run_program(train("run", "--resume --set run.iterations=62"));
    ASSERT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_EQ(metrics("run"), metrics("whole"));
    const std::string manifest = file_text(out("run") / "checkpoints/manifest.json");
    EXPECT_EQ(parse_json(manifest, "manifest")["checkpoints"].back()["iteration"], 62);
  }
}

TEST_F(DamageTest, AResumeFromTheCheckpointBeforeEndsAsIfItHadNeverStopped) {
  expect_trained("run", "--set run.checkpoint_every=20");
  const std::string bytes = file_text(saved(60));
  put_file(saved(60), bytes.substr(0, bytes.size() / 2));
  const Outcome resumed = run_program(train("run", "--resume --set run.iterations=70"));
  EXPECT_EQ(resumed.status, 0);
  EXPECT_NE(resumed.err.find("warning: "), std::string::npos) << resumed.err;
  EXPECT_NE(resumed.err.find("going on with"), std::string::npos) << resumed.err;
  expect_trained("whole", "--set run.iterations=70 --set run.checkpoint_every=20");
  EXPECT_EQ(metrics("run"), metrics("whole"));
}

}  // namespace
}  // namespace lpdm
