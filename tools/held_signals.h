// The signals that ask a program to end, and those that one which waits for its children lives by.
#pragma once

#include <csignal>
#include <ctime>
#include <vector>

namespace lpdm {

// What asks a program to end: SIGINT, SIGTERM and, unless nohup has it ignored, SIGHUP, which comes
// when the terminal is closed.
inline std::vector<int> ending_signals() {
  std::vector<int> signals = {SIGINT, SIGTERM};
  struct sigaction now = {};
  if (sigaction(SIGHUP, nullptr, &now) == 0 && now.sa_handler != SIG_IGN) {
    signals.push_back(SIGHUP);
  }
  return signals;
}

// These and SIGCHLD, held back from the calling thread, which must be the only one, for as long as
// this lives, and taken one at a time.
class HeldSignals {
 public:
  HeldSignals() {
    sigemptyset(&set_);
    sigaddset(&set_, SIGCHLD);
    for (const int signal : ending_signals()) sigaddset(&set_, signal);
    pthread_sigmask(SIG_BLOCK, &set_, &before_);
  }
  ~HeldSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  HeldSignals(const HeldSignals&) = delete;
  HeldSignals& operator=(const HeldSignals&) = delete;

  // Waits for the next one.
  int take() const {
    int signal = 0;
    sigwait(&set_, &signal);
    return signal;
  }

  // The one that comes within a time [s]; 0 if none does.
  int take_within(double seconds) const {
    const auto whole = static_cast<std::time_t>(seconds);
    const timespec time{whole, static_cast<long>((seconds - static_cast<double>(whole)) * 1e9)};
    const int signal = sigtimedwait(&set_, nullptr, &time);
    return signal > 0 ? signal : 0;
  }

 private:
  sigset_t set_;
  sigset_t before_;
};

}  // namespace lpdm
