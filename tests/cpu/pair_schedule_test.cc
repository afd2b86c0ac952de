// The schedule of the pairs: each tile once, and no block in two tasks of a round, which would
// write to its gradient at once.
#include "cpu/pairs/pair_schedule.h"

#include <gtest/gtest.h>

#include <map>
#include <numeric>
#include <set>
#include <utility>
#include <vector>

#include "cpu/local_loss_case.h"
#include "reference/closeness.h"

namespace lpdm {
namespace {

// The strips' and blocks' numbers of a task.
std::set<std::int64_t> blocks_of(const cpu::PairTask& task) {
  std::set<std::int64_t> blocks;
  for (std::int64_t b = task.strips.first; b < task.strips.end; ++b) blocks.insert(b);
  for (std::int64_t b = task.blocks.first; b < task.blocks.end; ++b) blocks.insert(b);
  return blocks;
}

void expect_covers_each_tile_once(const cpu::PairLayout& layout) {
  const cpu::PairSchedule schedule(layout);
  std::map<std::pair<std::int64_t, std::int64_t>, int> visits;
  for (std::int64_t round = 0; round < schedule.rounds(); ++round) {
    std::set<std::int64_t> taken;
    for (const cpu::PairTask& task : schedule.round(round)) {
      for (const std::int64_t block : blocks_of(task)) {
        EXPECT_TRUE(taken.insert(block).second) << "block " << block << " in round " << round;
      }
      task.each_tile([&](std::int64_t strip, std::int64_t block) { ++visits[{strip, block}]; });
    }
  }
  std::size_t tiles = 0;
  for (std::int64_t strip = 0; strip < layout.kept_blocks(); ++strip) {
    for (std::int64_t block = strip; block < layout.group_end(strip); ++block, ++tiles) {
      EXPECT_EQ((visits[{strip, block}]), 1) << strip << ", " << block;
    }
  }
  EXPECT_EQ(visits.size(), tiles);
}

TEST(PairSchedule, CoversAllPairsOfAnyNumberOfBlocks) {
  for (std::int64_t n = 1; n <= 80 * cpu::kTile; n += cpu::kTile + 3) {
    SCOPED_TRACE(n);
    expect_covers_each_tile_once(cpu::PairLayout({.rows = {.count = &n, .capacity = n}}));
  }
}

TEST(PairSchedule, CoversThePairsOfLandmarks) {
  const std::int64_t n = 3000;
  for (const std::int64_t count : {1, 64, 65, 700, 2500}) {
    SCOPED_TRACE(count);
    std::vector<std::int64_t> landmarks(static_cast<std::size_t>(count));
    std::iota(landmarks.begin(), landmarks.end(), 100);
    expect_covers_each_tile_once(cpu::PairLayout({.rows = {.count = &n, .capacity = n},
                                                  .landmarks = landmarks.data(),
                                                  .landmark_count = &count}));
  }
}

TEST(PairSchedule, CoversThePairsOfEpisodes) {
  const std::vector<std::int64_t> ends = {1, 65, 66, 700, 5000, 5001};
  const std::int64_t n = ends.back();
  const auto count = static_cast<std::int64_t>(ends.size());
  expect_covers_each_tile_once(cpu::PairLayout({.rows = {.count = &n, .capacity = n},
                                                .episode_ends = ends.data(),
                                                .episode_count = &count}));
}

// Error propagation stores no distances. Over one layer it is the plain loss: here the maximum is
// known beforehand, there it is searched for, and a pass made with less is repeated.
TEST(DistanceStore, GivesWhatTheSearchForTheMaximumGives) {
  for (const std::int64_t n : {130, 450, 700}) {
    Case c = random_case(n, 6, 100);
    const Outcome stored = run(c);
    c.options.target = TargetRule::kErrorPropagation;
    const Outcome searched = run(c);
    EXPECT_NEAR(stored.statistics.loss, searched.statistics.loss, 1e-6 * stored.statistics.loss);
    const reference::Values gradient(searched.grad_y.begin(), searched.grad_y.end());
    EXPECT_TRUE(reference::all_close(stored.grad_y, gradient, 1e-6, 0.0)) << n;
  }
}

}  // namespace
}  // namespace lpdm
