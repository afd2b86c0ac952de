// The order of work of a rollout whose environments may be stepped in two halves.
//
// Within each half the order is: choose actions, step, record. While one half is being stepped by
// the pool, the calling thread records and chooses for the other. What a half sees and does is the
// same in either mode, so the results are too.
#pragma once

#include "lpdm/config.h"
#include "lpdm/vector_env.h"

namespace lpdm {

// Whether rollout.halves asks for two halves of `environments` on `threads` threads.
bool steps_in_halves(Halves halves, const VectorEnv& environments, int threads);

// Ends a step that an exception has left to the pool, whose memory is about to go.
template <class Rollout>
class StepGuard {
 public:
  explicit StepGuard(Rollout& rollout) : rollout_(rollout) {}
  StepGuard(const StepGuard&) = delete;
  StepGuard& operator=(const StepGuard&) = delete;
  ~StepGuard() {
    try {
      rollout_.end();
    } catch (...) {  // the exception under way says more
    }
  }

 private:
  Rollout& rollout_;
};

// Rollout has, for half 0 or 1:
//   bool running(int half)   whether the half has another step to make
//   void choose(int half)    the actions of its next step
//   void begin(int half)     hands that step to the pool
//   void end()               waits for it, if there is one
//   void record(int half)    what came of it
// A rollout that is not to be split has running(1) false from the start.
template <class Rollout>
void run_half_steps(Rollout& rollout) {
  int half = 0;
  if (!rollout.running(half)) return;
  const StepGuard guard(rollout);
  rollout.choose(half);
  rollout.begin(half);
  for (;;) {
    const int other = 1 - half;
    const bool alternate = rollout.running(other);
    if (alternate) rollout.choose(other);
    rollout.end();
    if (alternate) rollout.begin(other);
    rollout.record(half);
    if (alternate) {
      half = other;
    } else if (rollout.running(half)) {
      rollout.choose(half);
      rollout.begin(half);
    } else {
      return;
    }
  }
}

}  // namespace lpdm
