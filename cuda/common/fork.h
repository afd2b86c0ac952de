// Work of one op, or whole ops, side by side on several streams.
#pragma once

#include <cstddef>

#include "common/checks.h"
#include "common/context.h"

namespace lpdm::cuda {

// The side stream `index` of `context`, from where `context` is now on.
inline Context& fork(Context& context, std::size_t index) {
  Context& side = context.side(index);
  check(cudaEventRecord(context.event(), context.stream), "the start of a side stream");
  check(cudaStreamWaitEvent(side.stream, context.event(), 0), "the start of a side stream");
  side.begin_op();
  return side;
}

// What comes next on `context` waits for `side`.
inline void join(Context& context, Context& side) {
  check(cudaEventRecord(side.event(), side.stream), "the end of a side stream");
  check(cudaStreamWaitEvent(context.stream, side.event(), 0), "the end of a side stream");
}

// Calls run(i, side stream i) for i in [0, count). What they enqueue runs after all that was
// enqueued on `context` and before all that will be. Scratch memory taken from `context` beforehand
// stays valid; run takes its own from the context that it is given.
template <class Run>
void fork_join(Context& context, std::size_t count, const Run& run) {
  for (std::size_t i = 0; i < count; ++i) {
    run(i, fork(context, i));
    if (context.profiled()) join(context, context.side(i));
  }
  for (std::size_t i = 0; i < count; ++i) join(context, context.side(i));
}

}  // namespace lpdm::cuda
