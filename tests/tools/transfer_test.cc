// `lpdm train --init-from RUN --freeze hidden` from outside: what is taken, kept, resumed, refused.
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "io/checkpoint_store.h"
#include "io/checksum.h"
#include "io/temporary_folder.h"
#include "lpdm/config.h"
#include "tools/program.h"

namespace lpdm {
namespace {

namespace fs = std::filesystem;

class TransferTest : public ::testing::Test {
 protected:
  void SetUp() override {
    put_file(config_, R"({"network": {"hidden": [12, 20]}, "run": {"iterations": 6}})");
    expect_trained("source", "--seed 7");
  }

  fs::path out(const std::string& name) const { return folder_ / name; }
  std::string train(const std::string& name, const std::string& more = "") const {
    return fmt::format("train '{}' --out '{}' {}", config_.string(), out(name).string(), more);
  }
  std::string from_source(const std::string& more = "") const {
    return fmt::format("--init-from '{}' {}", out("source").string(), more);
  }
  // Returns what it said.
  std::string expect_trained(const std::string& name, const std::string& more = "") const {
    const Outcome outcome = run_program(train(name, more));
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    return outcome.err;
  }
  Tensor tensor(const std::string& run, const std::string& name) const {
    return find_checkpoint(out(run)).file.tensors.at(name);
  }
  std::string checkpoint(const std::string& run) const {
    return file_text(find_checkpoint(out(run)).path);
  }

  TemporaryFolder folder_;
  fs::path config_ = folder_ / "config.json";
};

TEST_F(TransferTest, FrozenLayersStayAsTheyWereTaken) {
  const std::string said = expect_trained("run", from_source("--freeze hidden"));
  EXPECT_NE(said.find("took hidden.0 (12 × 4), hidden.1 (20 × 12), head (2 × 20)\n"),
            std::string::npos)
      << said;
  for (const std::string name : {"hidden.0.weight", "hidden.0.bias", "hidden.1.weight"}) {
    EXPECT_EQ(tensor("run", name), tensor("source", name)) << name;
  }
  EXPECT_NE(tensor("run", "head.weight"), tensor("source", "head.weight"));
  const Config config = load_config(out("run") / "config.json");
  EXPECT_EQ(config.hidden.method, HiddenMethod::kFrozen);
  EXPECT_EQ(config.network.init_from, out("source").lexically_normal().string());
}

TEST_F(TransferTest, LayersThatAreNotFrozenLearnOnFromThere) {
  expect_trained("still", from_source("--set hidden.learning_rate=0"));
  EXPECT_EQ(tensor("still", "hidden.1.weight"), tensor("source", "hidden.1.weight"));
  expect_trained("learning", from_source());
  EXPECT_NE(tensor("learning", "hidden.1.weight"), tensor("source", "hidden.1.weight"));
  expect_trained("fresh");
  EXPECT_NE(checkpoint("learning"), checkpoint("fresh"));
}

TEST_F(TransferTest, HeadsStayFreshWhereHiddenLayersAloneAreWanted) {
  const std::string said =
      expect_trained("run", from_source("--freeze hidden --set network.init_layers=hidden "
                                        "--set head.learning_rate=0"));
  EXPECT_NE(said.find("not head (network.init_layers is hidden)"), std::string::npos) << said;
  expect_trained("plain", "--set hidden.method=frozen --set head.learning_rate=0");
  EXPECT_EQ(tensor("run", "head.weight"), tensor("plain", "head.weight"));
  EXPECT_EQ(tensor("run", "hidden.0.weight"), tensor("source", "hidden.0.weight"));
}

TEST_F(TransferTest, WhatDoesNotFitStaysFreshAndIsNamed) {
  const std::string other = "--set env.id=Acrobot-v1 --set env.max_episode_steps=20 ";
  const std::string said = expect_trained(
      "other", from_source(other + "--freeze hidden --set env.normalize_observations=true"));
  EXPECT_NE(said.find("took hidden.1 (20 × 12); not hidden.0 (12 × 4 there, 12 × 6 here), head "
                      "(2 × 20 there, 3 × 20 here); observations are normalised here, they were "
                      "not there\n"),
            std::string::npos)
      << said;
  expect_trained("plain", other + "--set hidden.method=frozen");
  EXPECT_EQ(tensor("other", "hidden.0.weight"), tensor("plain", "hidden.0.weight"));
  EXPECT_EQ(tensor("other", "hidden.1.weight"), tensor("source", "hidden.1.weight"));
  const std::string critic = expect_trained(
      "critic", from_source("--set algorithm.name=reinforce_baseline --set value.steps=1"));
  EXPECT_NE(critic.find("head (2 × 20); not value (there is none there)"), std::string::npos)
      << critic;
  const std::string deeper =
      expect_trained("deeper", from_source("--set network.hidden=[12,20,5]"));
  EXPECT_NE(deeper.find("not hidden.2 (there is none there), head"), std::string::npos) << deeper;
}

TEST_F(TransferTest, AResumedRunEqualsOneThatNeverStopped) {
  expect_trained("whole", from_source("--freeze hidden --set run.iterations=25"));
  expect_trained("parts", from_source("--freeze hidden --set run.iterations=11"));
  fs::rename(out("source"), out("moved"));  // it is not needed any more
  const Outcome resumed = run_program(
      fmt::format("train --resume --out '{}' --set run.iterations=25", out("parts").string()));
  ASSERT_EQ(resumed.status, 0) << resumed.err;
  EXPECT_EQ(checkpoint("parts"), checkpoint("whole"));
  EXPECT_EQ(run_program("eval '" + out("parts").string() + "' --episodes 1").status, 0);
}

TEST_F(TransferTest, WhatCannotBeTakenIsRefusedAndNothingWritten) {
  expect_error(train("a", "--freeze hidden"), 2, "--init-from RUN");
  expect_error(train("a", from_source("--freeze head")), 2, "hidden");
  expect_error(train("a", "--init-from '" + out("missing").string() + "'"), 2, "missing");
  expect_error(train("a", from_source("--set network.hidden=[7,7]")), 2,
               "(hidden.0: 12 × 4 there, 7 × 4 here)");
  expect_error(train("a", from_source("--set network.activation=relu")), 2,
               "another network.activation");
  expect_error(train("a", "--set network.init_from=3"), 2, "network.init_from");
  const std::string whole = checkpoint("source");
  const fs::path path = find_checkpoint(out("source")).path;
  put_file(path, whole.substr(0, whole.size() / 2));
  expect_error(train("a", from_source()), 2, "checkpoint");
  TensorFile damaged = decode_safetensors(whole, "source");
  damaged.tensors.erase("hidden.1.bias");
  save_with_checksum(path, damaged);
  expect_error(train("a", from_source()), 2, "hidden.1.bias");
  damaged.tensors["hidden.1.bias"] = {{20}, std::vector<float>(20, std::nanf(""))};
  save_with_checksum(path, damaged);
  expect_error(train("a", from_source()), 2, "not finite");
  fs::remove(path);
  expect_error(train("a", from_source()), 2, "checkpoint");
  EXPECT_FALSE(fs::exists(out("a")));
}

}  // namespace
}  // namespace lpdm
