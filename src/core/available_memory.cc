#include "core/available_memory.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

namespace lpdm {
namespace {

namespace fs = std::filesystem;

// The names that the two versions of control groups have for the same things.
struct GroupFiles {
  const char* limit;
  const char* usage;
  const char* reclaimable;  // a field of memory.stat
};
constexpr GroupFiles kVersion1{"memory.limit_in_bytes", "memory.usage_in_bytes",
                               "total_inactive_file"};
constexpr GroupFiles kVersion2{"memory.max", "memory.current", "inactive_file"};

std::optional<std::int64_t> parse_number(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end != text.data() ? std::optional(number) : std::nullopt;
}

// The number that a file begins with; none for "max" or a file that is not there.
std::optional<std::int64_t> file_number(const fs::path& path) {
  std::ifstream file(path);
  std::string word;
  file >> word;
  return parse_number(word);
}

// The number after `field` in a file of lines "field number".
std::optional<std::int64_t> field_number(const fs::path& path, std::string_view field) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string name, value;
    words >> name >> value;
    if (name == field) return parse_number(value);
  }
  return std::nullopt;
}

std::optional<std::int64_t> smaller(std::optional<std::int64_t> a, std::optional<std::int64_t> b) {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

std::optional<std::int64_t> left_in_group(const fs::path& folder, const GroupFiles& files) {
  const auto limit = file_number(folder / files.limit);
  const auto usage = file_number(folder / files.usage);
  if (!limit || !usage) return std::nullopt;
  const std::int64_t cached = field_number(folder / "memory.stat", files.reclaimable).value_or(0);
  return std::max<std::int64_t>(0, *limit - std::max<std::int64_t>(0, *usage - cached));
}

// The least that a group and those above it leave, up to where the groups are mounted. Within a
// container the path may be one of the host's that is not there: the mount itself still counts.
std::optional<std::int64_t> left_in_groups(const fs::path& mount, const fs::path& group,
                                           const GroupFiles& files) {
  std::optional<std::int64_t> left = left_in_group(mount, files);
  fs::path folder = mount;
  for (const fs::path& part : group.relative_path()) {
    folder /= part;
    left = smaller(left, left_in_group(folder, files));
  }
  return left;
}

bool names_memory(const std::string& controllers) {
  return ("," + controllers + ",").find(",memory,") != std::string::npos;
}

}  // namespace

std::optional<std::int64_t> available_memory(const fs::path& root) {
  constexpr std::int64_t kKilobyte = 1024;
  std::optional<std::int64_t> available = field_number(root / "proc/meminfo", "MemAvailable:");
  if (available) *available *= kKilobyte;
  // Lines "id:controllers:path"; version 2 has no controllers.
  std::ifstream groups(root / "proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const fs::path group = line.substr(second + 1);
    const fs::path mount = root / "sys/fs/cgroup";
    if (controllers.empty()) {
      available = smaller(available, left_in_groups(mount, group, kVersion2));
    } else if (names_memory(controllers)) {
      available = smaller(available, left_in_groups(mount / "memory", group, kVersion1));
    }
  }
  return available;
}

}  // namespace lpdm
