// A fixed set of worker threads that runs numbered tasks.
//
// Work is cut into tasks by its size, never by the number of threads, so a result that depends only
// on (task) is the same for any pool. Ours and not a library's because ThreadSanitizer must see its
// synchronisation and because a rollout step needs a hand-over of about a microsecond.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

namespace lpdm {

class ThreadPool {
 public:
  // `task` in [0, count); `worker` in [0, size()), for per-thread scratch memory.
  using Task = std::function<void(std::int64_t task, int worker)>;

  // threads: at least 1, the caller included. Throws UsageError otherwise.
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int size() const;

  // Runs every task once and returns when all are done. Each thread has a share of consecutive
  // tasks and takes over those of others when it is done. If tasks throw, all others still run and
  // the exception of the lowest task is rethrown. One call at a time: calling it from within a task
  // or from two threads is an error. A single task is run as worker 0 without the pool, even
  // between start and finish; that the thread is the caller of start is not checked then.
  void parallel_for(std::int64_t count, const Task& run);

  // parallel_for in two halves: start hands the tasks to the other threads and returns, finish runs
  // what they have not claimed, waits for the rest and rethrows as parallel_for does. `run` must
  // live until then. Every start needs one finish; nothing else may run on the pool in between.
  void start(std::int64_t count, const Task& run);
  void finish();
  // Between the two: whether the other threads have done what they can, so that finish need not
  // wait.
  bool idle() const;

 private:
  struct Shared;
  void publish(std::int64_t count, const Task& run);
  std::unique_ptr<Shared> shared_;
};

// The number of threads that the hardware offers to this process, at least 1.
int hardware_threads();

}  // namespace lpdm
