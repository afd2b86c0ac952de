#include "lpdm/thread_pool.h"

#include <sched.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "lpdm/error.h"

namespace lpdm {

namespace {

void spin_pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// How long a waiting thread looks again and again before it sleeps: longer than what one thread
// does alone between two shared parts of an update. By the clock, since a pause takes 40 cycles on
// one processor and 140 on another.
class Spinning {
 public:
  // Waits a moment; false once it is time to sleep.
  bool go_on() {
    spin_pause();
    if (++pauses_ % kPausesPerLook != 0) return spins_;
    const auto now = Clock::now();
    if (pauses_ == kPausesPerLook) end_ = now + kLongest;
    return spins_ = now < end_;
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr int kPausesPerLook = 64;
  static constexpr std::chrono::microseconds kLongest{300};
  std::int64_t pauses_ = 0;
  bool spins_ = true;
  Clock::time_point end_;
};

}  // namespace

constexpr std::size_t kCacheLine = 64;

// The tasks that one thread begins with; who is done with its own share helps with the next one's.
// So a thread gets the same tasks whenever the same work comes again, and finds in its cache what
// they touch.
struct alignas(kCacheLine) Share {
  std::atomic<std::int64_t> next{0};
  std::int64_t end = 0;
};

// One generation is one parallel_for, or one start with its finish. The caller writes the job, then
// publishes it by advancing `generation`; workers claim tasks from the shares and report by
// `finished_workers`.
struct ThreadPool::Shared {
  explicit Shared(int threads) : shares(static_cast<std::size_t>(threads)) {}

  std::vector<Share> shares;  // one per thread
  std::vector<std::thread> workers;
  std::mutex mutex;
  std::condition_variable wake;
  std::atomic<std::uint64_t> generation{0};
  std::atomic<bool> stop{false};
  std::atomic<bool> busy{false};

  const Task* run = nullptr;
  std::atomic<int> finished_workers{0};
  bool shared_out = false;  // whether the workers were woken for this generation

  std::mutex failure_mutex;
  std::int64_t failed_task = 0;
  std::exception_ptr failure;

  void deal(std::int64_t count) {
    const auto threads = static_cast<std::int64_t>(shares.size());
    for (std::int64_t thread = 0; thread < threads; ++thread) {
      Share& share = shares[static_cast<std::size_t>(thread)];
      share.next.store(count * thread / threads, std::memory_order_relaxed);
      share.end = count * (thread + 1) / threads;
    }
  }

  void work(int worker) {
    const std::size_t own = static_cast<std::size_t>(worker);
    for (std::size_t k = 0; k < shares.size(); ++k) {
      work_off(shares[(own + k) % shares.size()], worker);
    }
  }

  void work_off(Share& share, int worker) {
    for (;;) {
      const std::int64_t task = share.next.fetch_add(1, std::memory_order_relaxed);
      if (task >= share.end) return;
      try {
        (*run)(task, worker);
      } catch (...) {
        const std::lock_guard lock(failure_mutex);
        if (!failure || task < failed_task) {
          failure = std::current_exception();
          failed_task = task;
        }
      }
    }
  }

  bool wait_for_generation(std::uint64_t seen) {
    Spinning spinning;
    do {
      if (generation.load(std::memory_order_acquire) != seen || stop.load()) return !stop.load();
    } while (spinning.go_on());
    std::unique_lock lock(mutex);
    wake.wait(lock, [&] { return generation.load() != seen || stop.load(); });
    return !stop.load();
  }

  void stop_workers() {
    {
      const std::lock_guard lock(mutex);
      stop.store(true);
    }
    wake.notify_all();
    for (std::thread& worker : workers) worker.join();
  }

  void worker_loop(int worker) {
    std::uint64_t seen = 0;
    while (wait_for_generation(seen)) {
      ++seen;
      work(worker);
      finished_workers.fetch_add(1, std::memory_order_release);
    }
  }
};

ThreadPool::ThreadPool(int threads) {
  if (threads < 1) {
    throw UsageError("a thread pool needs at least 1 thread, not " + std::to_string(threads));
  }
  shared_ = std::make_unique<Shared>(threads);
  try {
    for (int worker = 1; worker < threads; ++worker) {
      shared_->workers.emplace_back(
          [shared = shared_.get(), worker] { shared->worker_loop(worker); });
    }
  } catch (const std::system_error& error) {
    shared_->stop_workers();
    throw Error("the system starts no more than " + std::to_string(shared_->workers.size() + 1) +
                " of " + std::to_string(threads) + " threads (" + error.what() +
                "); lower run.threads");
  }
}

ThreadPool::~ThreadPool() { shared_->stop_workers(); }

int ThreadPool::size() const { return static_cast<int>(shared_->workers.size()) + 1; }

void ThreadPool::publish(std::int64_t count, const Task& run) {
  Shared& s = *shared_;
  if (s.busy.exchange(true)) throw Error("a ThreadPool was given tasks while it was running");
  s.run = &run;
  s.deal(count);
  s.failure = nullptr;
  s.finished_workers.store(0, std::memory_order_relaxed);
  s.shared_out = count > 0 && !s.workers.empty();
  if (!s.shared_out) return;
  {
    const std::lock_guard lock(s.mutex);
    s.generation.fetch_add(1, std::memory_order_release);
  }
  s.wake.notify_all();
}

void ThreadPool::parallel_for(std::int64_t count, const Task& run) {
  if (count <= 0) return;
  if (count == 1) return run(0, 0);
  publish(count, run);
  finish();
}

void ThreadPool::start(std::int64_t count, const Task& run) { publish(count, run); }

bool ThreadPool::idle() const {
  const Shared& s = *shared_;
  return !s.shared_out ||
         s.finished_workers.load(std::memory_order_acquire) == static_cast<int>(s.workers.size());
}

void ThreadPool::finish() {
  Shared& s = *shared_;
  s.work(0);
  if (s.shared_out) {
    const int workers = static_cast<int>(s.workers.size());
    Spinning spinning;
    while (s.finished_workers.load(std::memory_order_acquire) != workers) {
      if (!spinning.go_on()) std::this_thread::yield();
    }
  }
  const std::exception_ptr failure = std::exchange(s.failure, nullptr);
  s.busy.store(false);
  if (failure) std::rethrow_exception(failure);
}

int hardware_threads() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (sched_getaffinity(0, sizeof(allowed), &allowed) == 0) return CPU_COUNT(&allowed);
  const unsigned count = std::thread::hardware_concurrency();
  return count == 0 ? 1 : static_cast<int>(count);
}

}  // namespace lpdm
