// A test that makes runs of a second or so: a small network on CartPole.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "io/checkpoint_store.h"
#include "io/json_text.h"
#include "io/temporary_folder.h"
#include "tools/program.h"

namespace lpdm {

class RunFixture : public ::testing::Test {
 protected:
  explicit RunFixture(int iterations)
      : config_text_(fmt::format(
            R"({{"network": {{"hidden": [12, 20]}}, "run": {{"iterations": {}}}}})", iterations)) {}
  void SetUp() override { put_file(config_, config_text_); }

  std::filesystem::path out(const std::string& name) const { return folder_ / name; }
  std::string train(const std::string& name, const std::string& more = "") const {
    return fmt::format("train '{}' --out '{}' {}", config_.string(), out(name).string(), more);
  }
  void expect_trained(const std::string& name, const std::string& more = "") const {
    const Outcome outcome = run_program(train(name, more));
    ASSERT_EQ(outcome.status, 0) << outcome.err;
  }
  std::filesystem::path checkpoint(const std::string& name) const {
    return find_checkpoint(out(name)).path;
  }

  // metrics.jsonl without its timings.
  std::vector<Json> metrics(const std::string& name) const {
    std::vector<Json> lines;
    std::ifstream file(out(name) / "metrics.jsonl");
    for (std::string line; std::getline(file, line);) {
      Json metrics = parse_json(line, "metrics");
      metrics.erase("rollout_seconds");
      metrics.erase("update_seconds");
      lines.push_back(metrics);
    }
    return lines;
  }

  std::string config_text_;
  TemporaryFolder folder_;
  std::filesystem::path config_ = folder_ / "config.json";
};

}  // namespace lpdm
