// Packs rows and forms their distances while they still come, on the threads that a rollout leaves
// idle.
//
// Blocks of kTile rows are taken as they fill: packed, then compared with themselves and all blocks
// before. Each such step is one start of the pool; the next one is begun by the first advance that
// finds it done. What has not been reached when the loss is asked for is done then: a tile is the
// same whenever it is formed.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "cpu/common/context.h"
#include "cpu/pairs/pair_blocks.h"
#include "cpu/pairs/stored_pass.h"
#include "lpdm/backend.h"

namespace lpdm::cpu {

class EarlyDistances final : public RowFollower {
 public:
  // Borrows all, which must outlive it.
  EarlyDistances(Context& context, PairTarget& target, WorkerTiles& worker_tiles);
  ~EarlyDistances() override { pause(); }
  EarlyDistances(const EarlyDistances&) = delete;
  EarlyDistances& operator=(const EarlyDistances&) = delete;

  bool begin(const LocalLoss& op, std::int64_t capacity) override;
  void advance(std::int64_t rows) override;
  void pause() noexcept override;
  bool finish(const TargetStatistics&) override { return false; }
  bool finish(const LocalLoss& op) override;

  // Blocks whose distances are formed, as far as it is noticed.
  std::int64_t formed() const { return pass_.formed(); }

 private:
  bool follows(const LocalLoss& op) const;
  void start_packing(std::int64_t blocks);
  void start_forming(std::int64_t blocks);

  Context& context_;
  StoredPass pass_;
  std::int64_t capacity_ = 0;         // 0: nothing is followed
  std::optional<PairLayout> layout_;  // of capacity_ rows
  Metric metric_ = Metric::kL1;
  std::vector<LocalLossLayer> layers_;
  ThreadPool::Task task_;         // of the step under way
  bool running_ = false;          // a step is
  std::int64_t packed_next_ = 0;  // blocks that are packed when it is done
  std::int64_t formed_next_ = 0;  // likewise
};

}  // namespace lpdm::cpu
