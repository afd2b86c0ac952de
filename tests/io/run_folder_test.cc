#include "io/run_folder.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <limits>
#include <string>

#include "io/file_size_limit.h"
#include "io/temporary_folder.h"
#include "io/usage_error.h"

namespace lpdm {
namespace {

namespace fs = std::filesystem;
using Start = RunFolder::Start;

TEST(RunFolderTest, HoldsConfigMetricsAndSummary) {
  const TemporaryFolder folder;
  const fs::path path = folder / "runs/deep/one";
  RunFolder run(path, Start::kNew);
  Config config;
  config.run.seed = 12;
  run.write_config(config);
  run.append_metrics({{"iteration", 1}, {"return_mean", 0.1}});
  run.append_metrics({{"iteration", 2}, {"return_mean", nullptr}});
  run.write_summary({{"iterations", 2}});

  EXPECT_EQ(run.path(), path);
  EXPECT_EQ(load_config(path / "config.json"), config);
  EXPECT_EQ(file_text(path / "metrics.jsonl"),
            "{\"iteration\":1,\"return_mean\":0.1}\n{\"iteration\":2,\"return_mean\":null}\n");
  EXPECT_EQ(parse_json(file_text(path / "summary.json"), "summary")["iterations"], 2);
}

TEST(RunFolderTest, NumbersAreShortestDecimalsAndNotANumberIsNull) {
  const TemporaryFolder folder;
  RunFolder run(folder / "run", Start::kNew);
  run.append_metrics({{"a", 0.1},
                      {"b", 1.0 / 3.0},
                      {"c", 5e-324},
                      {"d", std::numeric_limits<double>::quiet_NaN()},
                      {"e", -std::numeric_limits<double>::infinity()},
                      {"f", std::numeric_limits<std::uint64_t>::max()}});
  EXPECT_EQ(file_text(folder / "run/metrics.jsonl"),
            "{\"a\":0.1,\"b\":0.3333333333333333,\"c\":5e-324,\"d\":null,\"e\":null,"
            "\"f\":18446744073709551615}\n");
}

TEST(RunFolderTest, RefusesAFolderThatIsInUse) {
  const TemporaryFolder folder;
  { RunFolder(folder / "run", Start::kNew).append_metrics({{"iteration", 1}}); }
  expect_usage_error([&] { RunFolder(folder / "run", Start::kNew); },
                     {(folder / "run").string(), "another --out"});
  fs::create_directory(folder / "other");
  put_file(folder / "other/file", "mine");
  expect_usage_error([&] { RunFolder(folder / "other", Start::kNew); }, {"another --out"});
  EXPECT_EQ(file_text(folder / "other/file"), "mine");
  expect_usage_error([&] { RunFolder(folder / "other/file", Start::kNew); }, {"is a file"});
}

TEST(RunFolderTest, TakesAnEmptyFolder) {
  const TemporaryFolder folder;
  EXPECT_NO_THROW(RunFolder(folder.path(), Start::kNew));
}

TEST(RunFolderTest, ResumesWhereTheLastWholeLineEnds) {
  const TemporaryFolder folder;
  {
    RunFolder run(folder / "run", Start::kNew);
    run.write_config(Config{});
    run.append_metrics({{"iteration", 1}});
  }
  put_file(folder / "run/metrics.jsonl", "{\"iteration\":1}\n{\"itera");
  RunFolder(folder / "run", Start::kResume).append_metrics({{"iteration", 2}});
  EXPECT_EQ(file_text(folder / "run/metrics.jsonl"), "{\"iteration\":1}\n{\"iteration\":2}\n");
}

TEST(RunFolderTest, ResumeNeedsARun) {
  const TemporaryFolder folder;
  expect_usage_error([&] { RunFolder(folder / "none", Start::kResume); }, {"no run folder"});
  expect_usage_error([&] { RunFolder(folder.path(), Start::kResume); }, {"config.json"});
  EXPECT_FALSE(fs::exists(folder / "none"));
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST(RunFolderTest, FullDiskKeepsWhatWasSaved) {
  const TemporaryFolder folder;
  RunFolder run(folder / "run", Start::kNew);
  run.write_config(Config{});
  run.write_summary({{"iterations", 1}});
  run.append_metrics({{"iteration", 1}});
  const std::string summary = file_text(folder / "run/summary.json");
  {
    const FileSizeLimit limit(20);
    EXPECT_THROW(run.append_metrics({{"iteration", 2}}), IoError);
    EXPECT_THROW(run.write_config(Config{}), IoError);
    EXPECT_THROW(run.write_summary({{"iterations", 2}, {"note", "more than fits"}}), IoError);
  }
  EXPECT_EQ(file_text(folder / "run/metrics.jsonl"), "{\"iteration\":1}\n");
  EXPECT_EQ(file_text(folder / "run/summary.json"), summary);
  EXPECT_EQ(load_config(folder / "run/config.json"), Config{});
}

TEST(RunFolderTest, UnwritablePlaceIsAnIoError) {
  EXPECT_THROW(RunFolder("/proc/lpdm-test/run", Start::kNew), IoError);
}

}  // namespace
}  // namespace lpdm
