// What a process may still take, read from made-up system folders.
#include "core/available_memory.h"

#include <gtest/gtest.h>

#include "io/temporary_folder.h"

namespace lpdm {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kKilobyte = 1024;

class AvailableMemory : public ::testing::Test {
 protected:
  void put(const std::string& path, const std::string& text) const {
    fs::create_directories((folder_ / path).parent_path());
    put_file(folder_ / path, text);
  }
  std::optional<std::int64_t> available() const { return available_memory(folder_.path()); }

  TemporaryFolder folder_;
};

TEST_F(AvailableMemory, IsUnknownWhereTheSystemDoesNotSay) {
  EXPECT_EQ(available(), std::nullopt);
  put("proc/meminfo", "MemTotal: 5 kB\n");
  EXPECT_EQ(available(), std::nullopt);
}

TEST_F(AvailableMemory, IsWhatTheSystemHasLeft) {
  put("proc/meminfo", "MemTotal:       8000 kB\nMemAvailable:   3000 kB\n");
  EXPECT_EQ(available(), 3000 * kKilobyte);
  put("proc/self/cgroup", "0::/\nnonsense\n");
  EXPECT_EQ(available(), 3000 * kKilobyte);
}

TEST_F(AvailableMemory, IsWhatTheTightestGroupOfVersion2Leaves) {
  put("proc/meminfo", "MemAvailable: 3000 kB\n");
  put("proc/self/cgroup", "0::/jobs/mine\n");
  put("sys/fs/cgroup/jobs/mine/memory.max", "max\n");
  put("sys/fs/cgroup/jobs/mine/memory.current", "500\n");
  EXPECT_EQ(available(), 3000 * kKilobyte);
  put("sys/fs/cgroup/jobs/memory.max", "10000\n");
  put("sys/fs/cgroup/jobs/memory.current", "4000\n");
  put("sys/fs/cgroup/jobs/memory.stat", "anon 2000\ninactive_file 1500\n");
  EXPECT_EQ(available(), 10000 - 4000 + 1500);
  put("sys/fs/cgroup/jobs/mine/memory.max", "600\n");
  EXPECT_EQ(available(), 100);
  put("sys/fs/cgroup/jobs/mine/memory.max", "300\n");
  EXPECT_EQ(available(), 0);
}

TEST_F(AvailableMemory, IsWhatAGroupOfVersion1Leaves) {
  put("proc/meminfo", "MemAvailable: 3000 kB\n");
  put("proc/self/cgroup", "5:cpu:/elsewhere\n4:hugetlb,memory:/host/path\n0::/\n");
  put("sys/fs/cgroup/memory/memory.limit_in_bytes", "9000\n");
  put("sys/fs/cgroup/memory/memory.usage_in_bytes", "7000\n");
  put("sys/fs/cgroup/memory/memory.stat", "inactive_file 1\ntotal_inactive_file 2500\n");
  EXPECT_EQ(available(), 4500);
}

TEST_F(AvailableMemory, OfThisSystemIsSomething) {
  ASSERT_TRUE(available_memory().has_value());
  EXPECT_GT(*available_memory(), 1 << 20);
}

}  // namespace
}  // namespace lpdm
