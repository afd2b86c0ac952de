#include "lpdm/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "lpdm/error.h"

namespace lpdm {
namespace {

TEST(ThreadPool, RunsEveryTaskOnceForManyGenerations) {
  for (const int threads : {1, 2, 5}) {
    ThreadPool pool(threads);
    EXPECT_EQ(pool.size(), threads);
    for (int generation = 0; generation < 300; ++generation) {
      std::vector<int> runs(static_cast<std::size_t>(generation % 17), 0);
      pool.parallel_for(static_cast<std::int64_t>(runs.size()), [&](std::int64_t task, int worker) {
        ASSERT_GE(worker, 0);
        ASSERT_LT(worker, threads);
        ++runs[static_cast<std::size_t>(task)];
      });
      for (const int count : runs) ASSERT_EQ(count, 1);
    }
  }
}

TEST(ThreadPool, RethrowsTheLowestFailureAndGoesOn) {
  ThreadPool pool(3);
  std::atomic<int> ran{0};
  try {
    pool.parallel_for(20, [&](std::int64_t task, int) {
      ++ran;
      if (task == 7 || task == 13) throw std::runtime_error(std::to_string(task));
    });
    FAIL() << "nothing was thrown";
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "7");
  }
  EXPECT_EQ(ran, 20);
  pool.parallel_for(5, [&](std::int64_t, int) { ++ran; });
  EXPECT_EQ(ran, 25);
}

TEST(ThreadPool, RefusesToNest) {
  ThreadPool pool(2);
  EXPECT_THROW(pool.parallel_for(
                   2, [&](std::int64_t, int) { pool.parallel_for(2, [](std::int64_t, int) {}); }),
               Error);
}

TEST(ThreadPool, ASingleTaskNeedsNoPool) {
  ThreadPool pool(2);
  std::atomic<int> ran{0};
  const ThreadPool::Task count = [&](std::int64_t, int) { ++ran; };
  pool.start(4, count);
  int worker = -1;
  pool.parallel_for(1, [&](std::int64_t, int by) { worker = by; });
  EXPECT_EQ(worker, 0);
  while (!pool.idle()) std::this_thread::yield();
  EXPECT_EQ(ran, 4);
  pool.finish();
  EXPECT_EQ(ran, 4);
}

TEST(ThreadPool, TheCallerIsFreeBetweenStartAndFinish) {
  for (const int threads : {1, 2, 5}) {
    ThreadPool pool(threads);
    for (int generation = 0; generation < 300; ++generation) {
      std::vector<int> runs(static_cast<std::size_t>(generation % 7), 0);
      const ThreadPool::Task run = [&](std::int64_t task, int) {
        ++runs[static_cast<std::size_t>(task)];
      };
      pool.start(static_cast<std::int64_t>(runs.size()), run);
      EXPECT_THROW(pool.parallel_for(2, run), Error);
      pool.finish();
      for (const int count : runs) ASSERT_EQ(count, 1);
    }
  }
}

TEST(ThreadPool, FinishRethrowsAndThePoolGoesOn) {
  ThreadPool pool(3);
  const ThreadPool::Task fail = [](std::int64_t task, int) {
    if (task >= 2) throw std::runtime_error(std::to_string(task));
  };
  pool.start(5, fail);
  EXPECT_THROW(pool.finish(), std::runtime_error);
  std::atomic<int> ran{0};
  pool.parallel_for(5, [&](std::int64_t, int) { ++ran; });
  EXPECT_EQ(ran, 5);
}

// With a single task, the other thread must take it while the caller does something else.
TEST(ThreadPool, WorkersRunWhileTheCallerDoesSomethingElse) {
  ThreadPool pool(2);
  std::atomic<bool> ran{false};
  const ThreadPool::Task run = [&](std::int64_t, int worker) { ran = worker == 1; };
  pool.start(1, run);
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!ran && std::chrono::steady_clock::now() < give_up) std::this_thread::yield();
  EXPECT_TRUE(ran);
  pool.finish();
}

TEST(ThreadPool, NeedsAThread) { EXPECT_THROW(ThreadPool(0), UsageError); }

}  // namespace
}  // namespace lpdm
