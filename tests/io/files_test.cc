#include "io/files.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <filesystem>
#include <iterator>
#include <string>

#include "io/append_file.h"
#include "io/file_size_limit.h"
#include "io/temporary_folder.h"
#include "io/usage_error.h"

namespace lpdm {
namespace {

namespace fs = std::filesystem;

std::ptrdiff_t entries(const fs::path& folder) {
  return std::distance(fs::directory_iterator(folder), fs::directory_iterator());
}

TEST(WriteFileTest, CreatesAndReplaces) {
  const TemporaryFolder folder;
  const std::string bytes("a\0b\n", 4);
  write_file(folder / "x", bytes);
  EXPECT_EQ(read_file(folder / "x", "file", 100), bytes);
  write_file(folder / "x", "shorter");
  EXPECT_EQ(file_text(folder / "x"), "shorter");
  EXPECT_EQ(entries(folder.path()), 1);
}

TEST(WriteFileTest, FailureLeavesTheOldFileAndNoTemporary) {
  const TemporaryFolder folder;
  write_file(folder / "x", "old");
  std::string message;
  {
    const FileSizeLimit limit(1000);
    message = message_of<IoError>([&] { write_file(folder / "x", std::string(5000, 'n')); });
  }
  EXPECT_NE(message.find((folder / "x").string()), std::string::npos) << message;
  EXPECT_NE(message.find("File too large"), std::string::npos) << message;
  EXPECT_EQ(file_text(folder / "x"), "old");
  EXPECT_EQ(entries(folder.path()), 1);
}

TEST(WriteFileTest, RefusesPlacesThatCannotBeWritten) {
  const TemporaryFolder folder;
  EXPECT_THROW(write_file(folder / "missing/x", "text"), IoError);
  EXPECT_THROW(write_file("/proc/lpdm-test", "text"), IoError);
  put_file(folder / "file", "text");
  EXPECT_THROW(write_file(folder / "file/x", "text"), IoError);
  fs::create_directory(folder / "folder");
  const std::string message = message_of<IoError>([&] { write_file(folder / "folder", "text"); });
  EXPECT_NE(message.find("directory"), std::string::npos) << message;
  EXPECT_EQ(entries(folder.path()), 2);
}

TEST(WriteFileTest, WritesToDevicesInsteadOfReplacingThem) {
  EXPECT_NO_THROW(write_file("/dev/null", "text"));
  const std::string message = message_of<IoError>([] { write_file("/dev/full", "text"); });
  EXPECT_NE(message.find("No space left"), std::string::npos) << message;
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
  EXPECT_TRUE(fs::is_character_file("/dev/full"));
}

TEST(WriteFileTest, FollowsSymbolicLinks) {
  const TemporaryFolder folder;
  fs::create_directory(folder / "real");
  put_file(folder / "real/x", "old");
  fs::create_symlink("real/x", folder / "link");
  write_file(folder / "link", "new");
  EXPECT_TRUE(fs::is_symlink(folder / "link"));
  EXPECT_EQ(file_text(folder / "real/x"), "new");
}

TEST(ReadFileTest, LimitsSize) {
  const TemporaryFolder folder;
  put_file(folder / "x", std::string(200'000, 'x'));
  EXPECT_EQ(read_file(folder / "x", "file", 200'000).size(), 200'000u);
  expect_usage_error([&] { read_file(folder / "x", "trace", 199'999); },
                     {"trace", (folder / "x").string(), "199999"});
}

TEST(AppendFileTest, AppendsAndRefusesToStartOver) {
  const TemporaryFolder folder;
  {
    AppendFile file(folder / "log", AppendFile::Open::kNew);
    file.append("1\n");
    EXPECT_EQ(file_text(folder / "log"), "1\n") << "a record must be visible at once";
    file.append("2\n");
  }
  expect_usage_error([&] { AppendFile(folder / "log", AppendFile::Open::kNew); },
                     {(folder / "log").string()});
  AppendFile(folder / "log", AppendFile::Open::kExisting).append("3\n");
  EXPECT_EQ(file_text(folder / "log"), "1\n2\n3\n");
}

TEST(AppendFileTest, DropsATornLastLine) {
  const TemporaryFolder folder;
  for (const std::size_t torn : {1u, 4095u, 4096u, 10'000u}) {
    put_file(folder / "log", "1\n2\n" + std::string(torn, 'x'));
    AppendFile(folder / "log", AppendFile::Open::kExisting).append("3\n");
    EXPECT_EQ(file_text(folder / "log"), "1\n2\n3\n") << torn;
  }
  put_file(folder / "log", "never finished");
  AppendFile(folder / "log", AppendFile::Open::kExisting).append("1\n");
  EXPECT_EQ(file_text(folder / "log"), "1\n");
}

TEST(AppendFileTest, FullDiskKeepsWholeRecordsOnly) {
  const TemporaryFolder folder;
  AppendFile file(folder / "log", AppendFile::Open::kNew);
  file.append("first\n");
  {
    const FileSizeLimit limit(10);
    EXPECT_THROW(file.append("second, half of which would fit\n"), IoError);
  }
  EXPECT_EQ(file_text(folder / "log"), "first\n");
  file.append("third\n");
  EXPECT_EQ(file_text(folder / "log"), "first\nthird\n");
}

TEST(AppendFileTest, RefusesPlacesThatCannotBeWritten) {
  EXPECT_THROW(AppendFile("/proc/lpdm-test", AppendFile::Open::kNew), IoError);
}

}  // namespace
}  // namespace lpdm
