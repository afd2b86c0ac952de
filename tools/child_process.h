// One child process that runs this program, and how it ended.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace lpdm {

struct ProcessEnd {
  int status = 0;  // exit status; 0 if a signal ended it
  int signal = 0;  // 0: it exited
};

// Owns the process: one that still runs when its owner goes is asked to stop (SIGTERM) and waited
// for. It has a process group of its own, so that a signal from the terminal reaches it only
// through its owner, and is asked to stop if its owner dies. One thread at a time.
class ChildProcess {
 public:
  // Starts this very program with `arguments`; what it prints goes to `log`, which is replaced.
  // Throws IoError if the log cannot be written or the process cannot be started.
  ChildProcess(const std::vector<std::string>& arguments, const std::filesystem::path& log);
  ~ChildProcess();
  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&& other) noexcept;

  void send(int signal) const;
  // How it ended, once it has; does not wait.
  std::optional<ProcessEnd> ended();

 private:
  pid_t pid_ = -1;  // -1: there is none to wait for
};

}  // namespace lpdm
