// POSIX file descriptors: ownership, complete writes and errors with the path in them.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace lpdm {

inline constexpr unsigned kNewFileMode = 0666;  // less the process's umask

// Owns one file descriptor; -1: none.
class Descriptor {
 public:
  explicit Descriptor(int descriptor) : descriptor_(descriptor) {}
  ~Descriptor();
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const { return descriptor_; }
  // Returns 0, or the errno of close, which may be where a full disk is reported.
  int close();

 private:
  int descriptor_;
};

// Writes all of `bytes`. Returns 0, or the errno of the write that failed.
int write_all(int descriptor, std::string_view bytes);

// The system's sentence for an errno; safe to call from any thread.
std::string system_message(int code);

// Throws IoError "cannot `action` `path`: ...".
[[noreturn]] void throw_io_error(const std::string& action, const std::filesystem::path& path,
                                 int code);

}  // namespace lpdm
