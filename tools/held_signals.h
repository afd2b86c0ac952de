// The signals that a program which waits for its children lives by.
#pragma once

#include <csignal>

namespace lpdm {

// SIGINT, SIGTERM and SIGCHLD, held back from the calling thread, which must be the only one, for
// as long as this lives, and taken one at a time.
class HeldSignals {
 public:
  HeldSignals() {
    sigemptyset(&set_);
    for (const int signal : {SIGINT, SIGTERM, SIGCHLD}) sigaddset(&set_, signal);
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

 private:
  sigset_t set_;
  sigset_t before_;
};

}  // namespace lpdm
