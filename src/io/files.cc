#include "io/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <system_error>
#include <vector>

#include "io/descriptor.h"
#include "lpdm/error.h"

namespace lpdm {
namespace {

namespace fs = std::filesystem;

void write_to_device(const fs::path& path, std::string_view bytes) {
  Descriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (file.get() < 0) throw_io_error("open", path, errno);
  if (const int code = write_all(file.get(), bytes); code != 0) throw_io_error("write", path, code);
  if (const int code = file.close(); code != 0) throw_io_error("write", path, code);
}

constexpr std::string_view kTemporaryPrefix = ".lpdm-";
constexpr std::string_view kTemporarySuffix = ".tmp";

// Creates a file with a free temporary name in `folder`; returns its descriptor or -1 with errno.
int create_temporary(const fs::path& folder, fs::path& temporary) {
  constexpr int kMaxAttempts = 1000;  // leftovers of killed processes with the same id
  for (int attempt = 0; attempt < kMaxAttempts; ++attempt) {
    temporary =
        folder / fmt::format("{}{}-{}{}", kTemporaryPrefix, ::getpid(), attempt, kTemporarySuffix);
    const int descriptor =
        ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kNewFileMode);
    if (descriptor >= 0 || errno != EEXIST) return descriptor;
  }
  return -1;
}

void replace_file(const fs::path& path, std::string_view bytes) {
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  fs::path temporary;
  Descriptor file(create_temporary(folder, temporary));
  if (file.get() < 0) throw_io_error("create", path, errno);

  int code = write_all(file.get(), bytes);
  if (code == 0 && ::fsync(file.get()) != 0) code = errno;
  if (const int close_code = file.close(); code == 0) code = close_code;
  if (code == 0 && ::rename(temporary.c_str(), path.c_str()) != 0) code = errno;
  if (code != 0) {
    ::unlink(temporary.c_str());
    throw_io_error("write", path, code);
  }
  // The new name itself reaches the disk with its folder; not every file system offers this.
  const Descriptor folder_descriptor(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder_descriptor.get() >= 0) ::fsync(folder_descriptor.get());
}

}  // namespace

std::string read_file(const fs::path& path, const std::string& kind, std::uint64_t max_bytes) {
  const auto refuse = [&](const std::string& reason) {
    throw UsageError(fmt::format("cannot read {} \"{}\": {}", kind, path.string(), reason));
  };
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) refuse(system_message(errno));
  std::string bytes;
  std::vector<char> block(std::size_t{1} << 16);
  while (true) {
    const ssize_t got = ::read(file.get(), block.data(), block.size());
    if (got == 0) return bytes;
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EISDIR) refuse("it is a folder, a file is expected");
    if (got < 0) refuse(system_message(errno));
    bytes.append(block.data(), static_cast<std::size_t>(got));
    if (bytes.size() > max_bytes) {
      refuse(fmt::format("it has more than the {} bytes that such a file may have", max_bytes));
    }
  }
}

void write_file(const fs::path& path, std::string_view bytes) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);  // follows links
  switch (status.type()) {
    case fs::file_type::directory:
      throw_io_error("write", path, EISDIR);
    case fs::file_type::character:
    case fs::file_type::block:
    case fs::file_type::fifo:
    case fs::file_type::socket:
      write_to_device(path, bytes);
      return;
    default:
      break;
  }
  const bool linked = fs::is_symlink(fs::symlink_status(path, error));
  const fs::path target = linked ? fs::weakly_canonical(path, error) : path;
  replace_file(target.empty() ? path : target, bytes);
}

bool is_leftover(const fs::path& path) {
  const std::string name = path.filename().string();
  return name.starts_with(kTemporaryPrefix) && name.ends_with(kTemporarySuffix);
}

void remove_leftovers(const fs::path& folder) {
  std::error_code ignored;  // one that stays does no harm
  std::vector<fs::path> leftovers;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    if (is_leftover(entry.path())) leftovers.push_back(entry.path());
  }
  for (const fs::path& path : leftovers) fs::remove(path, ignored);
}

}  // namespace lpdm
