#include "lpdm/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
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
                   1, [&](std::int64_t, int) { pool.parallel_for(1, [](std::int64_t, int) {}); }),
               Error);
}

TEST(ThreadPool, NeedsAThread) { EXPECT_THROW(ThreadPool(0), UsageError); }

}  // namespace
}  // namespace lpdm
