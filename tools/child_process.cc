#include "child_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <utility>

#include "io/descriptor.h"
#include "lpdm/error.h"

namespace lpdm {
namespace {

constexpr const char* kThisProgram = "/proc/self/exe";
constexpr int kCannotRun = 127;

// In the new process: only what is safe between fork and exec.
[[noreturn]] void become(const std::vector<char*>& words, int log, pid_t parent) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) _exit(kCannotRun);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  dup2(log, STDOUT_FILENO);
  dup2(log, STDERR_FILENO);
  execv(kThisProgram, words.data());
  _exit(kCannotRun);
}

}  // namespace

ChildProcess::ChildProcess(const std::vector<std::string>& arguments,
                           const std::filesystem::path& log) {
  std::vector<std::string> texts = {"lpdm"};
  texts.insert(texts.end(), arguments.begin(), arguments.end());
  std::vector<char*> words;
  words.reserve(texts.size() + 1);
  for (std::string& text : texts) words.push_back(text.data());
  words.push_back(nullptr);

  const Descriptor file(open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, kNewFileMode));
  if (file.get() < 0) throw_io_error("open", log, errno);
  const pid_t parent = getpid();
  pid_ = fork();
  if (pid_ == 0) become(words, file.get(), parent);
  if (pid_ < 0) {
    throw IoError(
        fmt::format("cannot start another process: {}; lower --jobs", system_message(errno)));
  }
}

ChildProcess::~ChildProcess() {
  if (pid_ < 0) return;
  send(SIGTERM);
  waitpid(pid_, nullptr, 0);
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}

ChildProcess& ChildProcess::operator=(ChildProcess&& other) noexcept {
  std::swap(pid_, other.pid_);
  return *this;
}

void ChildProcess::send(int signal) const {
  if (pid_ > 0) kill(pid_, signal);
}

std::optional<ProcessEnd> ChildProcess::ended() {
  int status = 0;
  if (pid_ < 0 || waitpid(pid_, &status, WNOHANG) != pid_) return std::nullopt;
  pid_ = -1;
  if (WIFEXITED(status)) return ProcessEnd{.status = WEXITSTATUS(status), .signal = 0};
  return ProcessEnd{.status = 0, .signal = WTERMSIG(status)};
}

}  // namespace lpdm
