// Forms the distances of rows to landmarks while the rows still come, on the threads that a rollout
// leaves idle.
//
// What is drawn from the rows that are there is known at any time (Reservoir), and a row that comes
// later seldom takes a place. Rows are taken by blocks of kLandmarkBlock, in steps: the landmarks
// that have changed are packed; then the new blocks are compared with all landmarks and the blocks
// before with the changed ones. A step is one start of the pool; the next one is made by the first
// advance that finds it done. pause leaves the rest of a step undone, so that nobody waits for it,
// and blocks are then behind others. A distance is the same whenever it is formed.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <vector>

#include "cpu/common/context.h"
#include "cpu/landmarks/landmark_pass.h"
#include "cpu/landmarks/reservoir.h"
#include "lpdm/backend.h"

namespace lpdm::cpu {

class EarlyLandmarks final : public RowFollower {
 public:
  // draw: as for Backend::make_row_follower. context must outlive this.
  EarlyLandmarks(Context& context, const DrawLandmarks& draw);
  ~EarlyLandmarks() override { pause(); }
  EarlyLandmarks(const EarlyLandmarks&) = delete;
  EarlyLandmarks& operator=(const EarlyLandmarks&) = delete;

  bool begin(const LocalLoss& op, std::int64_t capacity) override;
  void advance(std::int64_t rows) override;
  void pause() noexcept override;
  bool finish(const TargetStatistics& op) override;
  bool finish(const LocalLoss& op) override;

  // Blocks whose distances were formed when it last paused.
  std::int64_t formed() const { return formed_; }
  // The most rows that are followed. outputs: of all layers together
  static std::int64_t most_rows(std::int64_t outputs);

 private:
  void begin_step(const std::int64_t* landmarks);
  void start(std::int64_t blocks);
  void run_block(std::int64_t block);
  void pack_landmarks();
  bool follows(const PairwiseTarget& target);
  bool follows(const LocalLoss& op) const;

  Context& context_;
  DrawLandmarks draw_;
  LandmarkPass pass_;
  std::int64_t capacity_ = 0;  // 0: nothing is followed
  bool complete_ = false;      // the statistics have been asked for
  PairwiseTarget target_;
  std::vector<LocalLossLayer> layers_;
  std::optional<Reservoir> reservoir_;
  std::int64_t step_ = 0;     // the latest one
  std::int64_t started_ = 0;  // blocks that were there when it began
  std::int64_t formed_ = 0;
  std::vector<std::int64_t> landmarks_;  // (M), as of it
  std::vector<std::int64_t> drawn_in_;   // (M), the steps in which they became what they are
  std::vector<std::int64_t> done_in_;    // (blocks), the latest steps that came to them; 0: none
  std::vector<std::int32_t> changed_;    // landmarks that some block has been compared without
  // Of the step under way.
  bool running_ = false;
  ThreadPool::Task task_;
  std::atomic<bool> stop_ = false;
  std::atomic<std::int64_t> claimed_ = 0;  // matrices whose landmarks are being packed, or are
  std::atomic<std::int64_t> packed_ = 0;   // matrices whose landmarks are packed
};

}  // namespace lpdm::cpu
