#include "io/append_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <utility>

#include "lpdm/error.h"

namespace lpdm {
namespace {

// Where the last complete line of the file ends; 0 if there is none.
std::int64_t end_of_last_line(int descriptor, std::int64_t size) {
  std::array<char, 4096> block;
  while (size > 0) {
    const auto count = std::min<std::int64_t>(size, block.size());
    const ssize_t got =
        ::pread(descriptor, block.data(), static_cast<std::size_t>(count), size - count);
    if (got != count) return size;
    for (std::int64_t i = count; i > 0; --i) {
      if (block[static_cast<std::size_t>(i - 1)] == '\n') return size - count + i;
    }
    size -= count;
  }
  return 0;
}

int open_flags(AppendFile::Open mode) {
  const int create = mode == AppendFile::Open::kNew ? O_CREAT | O_EXCL : O_CREAT;
  return O_RDWR | O_CLOEXEC | create;
}

}  // namespace

AppendFile::AppendFile(std::filesystem::path path, Open mode)
    : path_(std::move(path)), file_(::open(path_.c_str(), open_flags(mode), kNewFileMode)) {
  if (file_.get() < 0 && errno == EEXIST) {
    throw UsageError(fmt::format("\"{}\" exists already, choose another place", path_.string()));
  }
  struct stat status {};
  if (file_.get() < 0 || ::fstat(file_.get(), &status) != 0) throw_io_error("open", path_, errno);
  size_ = end_of_last_line(file_.get(), status.st_size);
  if (size_ < status.st_size && ::ftruncate(file_.get(), size_) != 0) {
    throw_io_error("repair", path_, errno);
  }
}

void AppendFile::append(std::string_view record) {
  if (::lseek(file_.get(), size_, SEEK_SET) < 0) throw_io_error("append to", path_, errno);
  if (const int code = write_all(file_.get(), record); code != 0) {
    const bool taken_back = ::ftruncate(file_.get(), size_) == 0;
    throw_io_error(taken_back ? "append to" : "append to or repair", path_, code);
  }
  size_ += static_cast<std::int64_t>(record.size());
}

void AppendFile::sync() {
  if (::fsync(file_.get()) != 0) throw_io_error("flush", path_, errno);
}

}  // namespace lpdm
