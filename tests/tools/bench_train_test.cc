// `lpdm bench train` on a small run.
#include <gtest/gtest.h>

#include <string>

#include "io/json_text.h"
#include "io/temporary_folder.h"
#include "tools/program.h"

namespace lpdm {
namespace {

TEST(BenchTrainTest, ComparesBothMethodsOnEqualEpisodes) {
  const TemporaryFolder folder;
  const std::string config = (folder / "config.json").string();
  put_file(config, R"({"network": {"hidden": [12, 20]}, "hidden": {"pairs": "landmarks:8"}})");
  const Outcome outcome = run_program("bench train '" + config +
                                      "' --warm-up 2 --repeats 3 --json --set run.threads=1");
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const Json result = parse_json(outcome.out, "bench");
  EXPECT_EQ(result["env"], "CartPole-v1");
  EXPECT_GE(result["steps_per_iteration"].get<double>(), 1.0);
  for (const char* method : {"lpdm", "bp"}) {
    for (const char* time : {"iteration_s", "rollout_s", "update_s"}) {
      EXPECT_GT(result[method][time].get<double>(), 0.0) << method << " " << time;
    }
  }
}

TEST(BenchTrainTest, RefusesWhatItCannotRun) {
  expect_error("bench train missing.json", 2, "missing.json");
  expect_error("bench train", 2, "CONFIG");
}

}  // namespace
}  // namespace lpdm
