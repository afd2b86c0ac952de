// --device on the command line. The CUDA backend under the execution shim stands in for a GPU:
// LPDM_CUDA_LIBRARY names the library that the program loads.
#include <gtest/gtest.h>
#include <stdlib.h>

#include "io/checkpoint.h"
#include "tools/run_fixture.h"

namespace lpdm {
namespace {

class DeviceTest : public RunFixture {
 protected:
  DeviceTest() : RunFixture(4) {}
  ~DeviceTest() override {
    for (const char* name : {"LPDM_CUDA_LIBRARY", "LPDM_SHIM_MEMORY", "LPDM_SHIM_LOST_ONCE"}) {
      ::unsetenv(name);
    }
  }

  static void use_library(const std::string& path) {
    ::setenv("LPDM_CUDA_LIBRARY", path.c_str(), 1);
  }
};

TEST_F(DeviceTest, AMissingLibraryIsNamed) {
  use_library((folder_ / "none.so").string());
  expect_error(train("a", "--device cuda"), 2, "none.so");
  expect_error("bench local-loss --n 8 --device cuda", 2, "cannot be loaded");
  EXPECT_NE(run_program("info").out.find("cannot be loaded"), std::string::npos);
}

TEST_F(DeviceTest, AutoTakesTheCpuWhereThereIsNoLibrary) {
  use_library((folder_ / "none.so").string());
  const Outcome outcome = run_program(train("a", "--device auto"));
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_NE((outcome.out + outcome.err).find("CPU"), std::string::npos);
}

TEST_F(DeviceTest, AForeignLibraryIsRefused) {
  use_library("libz.so.1");
  expect_error(train("a", "--device cuda"), 2, "another version");
}

#ifdef LPDM_SHIM_LIBRARY

TEST_F(DeviceTest, AutoTakesTheGpuAndSaysSo) {
  use_library(LPDM_SHIM_LIBRARY);
  const Outcome outcome = run_program(train("a", "--device auto"));
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_NE((outcome.out + outcome.err).find("compute capability 9.0"), std::string::npos);
}

// The runs are of the same seed; what differs is rounding.
TEST_F(DeviceTest, ARunGoesOnFromTheOtherDevicesCheckpoint) {
  use_library(LPDM_SHIM_LIBRARY);
  for (const auto& [first, second] : {std::pair{"cuda", "cpu"}, {"cpu", "cuda"}}) {
    const std::string name = std::string(first) + "-" + second;
    expect_trained(name, fmt::format("--device {} --set run.iterations=2", first));
    const Outcome outcome =
        run_program(fmt::format("train --resume --out '{}' --device {} --set run.iterations=4",
                                out(name).string(), second));
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_EQ(metrics(name).size(), 4U);
  }
  expect_trained("cpu", "--device cpu");
  const std::vector<Json> expected = metrics("cpu"), actual = metrics("cuda-cpu");
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_NEAR(actual[i]["policy_loss"].get<double>(), expected[i]["policy_loss"].get<double>(),
                1e-4);
    EXPECT_EQ(actual[i]["return_mean"], expected[i]["return_mean"]);
  }
}

// The run of two iterations that a GPU was to go on with goes on without it.
TEST_F(DeviceTest, AGpuWithoutMemoryLeavesTheCheckpoint) {
  expect_trained("a", "--set run.iterations=2");
  const std::string resume = fmt::format("train --resume --out '{}' --device ", out("a").string());
  use_library(LPDM_SHIM_LIBRARY);
  ::setenv("LPDM_SHIM_MEMORY", "20000", 1);
  expect_error(resume + "cuda --set run.iterations=4", 1, "of its 20000 bytes are free");
  EXPECT_EQ(metrics("a").size(), 2U);
  const Outcome outcome = run_program(resume + "cpu --set run.iterations=4");
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(metrics("a").size(), 4U);
}

TEST_F(DeviceTest, ALostGpuLeavesTheLatestCheckpoint) {
  use_library(LPDM_SHIM_LIBRARY);
  expect_trained("whole", "--device cuda");
  const auto second = out("a") / "checkpoints" / "iteration-000000002.safetensors";
  ::setenv("LPDM_SHIM_LOST_ONCE", second.c_str(), 1);
  const Outcome lost = run_program(train("a", "--device cuda --set run.checkpoint_every=1"));
  EXPECT_EQ(lost.status, 1);
  EXPECT_NE(lost.err.find("\nlpdm: the GPU was lost"), std::string::npos) << lost.err;
  ::unsetenv("LPDM_SHIM_LOST_ONCE");
  const Outcome outcome =
      run_program(fmt::format("train --resume --out '{}' --device cuda", out("a").string()));
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(metrics("a"), metrics("whole"));
}

TEST_F(DeviceTest, RolloutsAreTheSameOnHostAndDevice) {
  use_library(LPDM_SHIM_LIBRARY);
  for (const std::string place : {"host", "device"}) {
    expect_trained(place, "--device cuda --set rollout.inference=" + place);
  }
  const std::vector<Json> host = metrics("host"), device = metrics("device");
  ASSERT_EQ(host.size(), device.size());
  for (std::size_t i = 0; i < host.size(); ++i) {
    EXPECT_EQ(host[i]["return_mean"], device[i]["return_mean"]);
  }
}

TEST_F(DeviceTest, ProfilesKnowTheLimitOfTheGpu) {
  use_library(LPDM_SHIM_LIBRARY);
  const Outcome outcome = run_program(
      fmt::format("profile '{}' --iterations 1 --json --set run.device=cuda", config_.string()));
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const Json profile = parse_json(outcome.out, "profile");
  bool found = false;
  int passes = 0;
  for (const Json& op : profile["ops"]) {
    EXPECT_GT(op["seconds"].get<double>(), 0.0) << op["op"];
    if (op["op"] != "local_loss") continue;
    found = true;
    EXPECT_GT(op["share_of_limit"].get<double>(), 0.0);
    for (const Json& stage : op["stages"]) {
      if (!stage["op"].get<std::string>().starts_with("pass")) continue;
      ++passes;
      EXPECT_GT(stage["share_of_limit"].get<double>(), 0.0);
    }
  }
  EXPECT_EQ(passes, 2);
  EXPECT_TRUE(found);
}

#endif  // LPDM_SHIM_LIBRARY

TEST_F(DeviceTest, ProfilesOfTheCpuHaveTimesAndNoLimit) {
  const Outcome outcome = run_program(
      fmt::format("profile '{}' --iterations 1 --json --set run.device=cpu", config_.string()));
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const Json profile = parse_json(outcome.out, "profile");
  EXPECT_TRUE(profile["lane_rate"].is_null());
  EXPECT_GT(profile["ops"].size(), 5U);
  const Outcome table = run_program(
      fmt::format("profile '{}' --iterations 1 --set run.device=cpu", config_.string()));
  EXPECT_NE(table.out.find("local_loss"), std::string::npos);
}

}  // namespace
}  // namespace lpdm
