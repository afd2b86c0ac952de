#include "cpu/pairs/early_distances.h"

#include <algorithm>

namespace lpdm::cpu {

namespace {

// Whether all pairs of a batch are compared, in the order of its rows.
bool takes(const LocalLoss& op) {
  return op.target_rule == TargetRule::kInput && op.target.landmarks == nullptr &&
         op.target.episode_ends == nullptr && op.target.low_rank == 0 &&
         op.target.sparse == SparsePairs::kNone;
}

}  // namespace

EarlyDistances::EarlyDistances(Context& context, PairTarget& target, WorkerTiles& worker_tiles)
    : context_(context), pass_(context, target, worker_tiles) {}

bool EarlyDistances::begin(const LocalLoss& op, std::int64_t capacity) {
  pause();
  capacity_ = 0;
  capacity = std::min(capacity, DistanceStore::most_rows(op.layer_count));
  if (context_.pool.size() == 1 || !takes(op) || capacity < kTile) return false;
  layout_.emplace(PairwiseTarget{.rows = {.count = &capacity, .capacity = capacity}});
  metric_ = op.target.metric;
  layers_.assign(op.layers, op.layers + op.layer_count);
  pass_.begin(op, *layout_);
  packed_next_ = formed_next_ = 0;
  capacity_ = capacity;
  return true;
}

void EarlyDistances::advance(std::int64_t rows) {
  const std::int64_t full = std::min(rows, capacity_) / kTile;
  if (running_) {
    if (!context_.pool.idle()) return;
    pause();
  }
  if (full > packed_next_) {
    start_packing(full);
  } else if (packed_next_ > formed_next_) {
    start_forming(packed_next_);
  }
}

void EarlyDistances::start_packing(std::int64_t blocks) {
  const std::int64_t first = packed_next_;
  task_ = [this, first](std::int64_t k, int worker) { pass_.pack(*layout_, first + k, worker); };
  context_.pool.start(blocks - first, task_);
  running_ = true;
  packed_next_ = blocks;
}

void EarlyDistances::start_forming(std::int64_t blocks) {
  const std::int64_t first = pass_.first_tile(formed_next_);
  task_ = [this, first](std::int64_t k, int) { pass_.form_distances(*layout_, first + k); };
  context_.pool.start(pass_.first_tile(blocks) - first, task_);
  running_ = true;
  formed_next_ = blocks;
}

// The tasks throw nothing: their memory is there since begin.
void EarlyDistances::pause() noexcept {
  if (!running_) return;
  context_.pool.finish();
  running_ = false;
  pass_.set_packed(packed_next_);
  pass_.set_formed(formed_next_);
}

bool EarlyDistances::follows(const LocalLoss& op) const {
  const auto same = [](const LocalLossLayer& a, const LocalLossLayer& b) {
    return a.output == b.output && a.out == b.out && a.activation == b.activation &&
           a.delta == b.delta;
  };
  return takes(op) && op.target.metric == metric_ &&
         *op.target.rows.count >= kTile * packed_next_ && *op.target.rows.count <= capacity_ &&
         std::equal(layers_.begin(), layers_.end(), op.layers, op.layers + op.layer_count, same);
}

bool EarlyDistances::finish(const LocalLoss& op) {
  pause();
  const bool mine = capacity_ > 0 && follows(op);
  capacity_ = 0;
  if (!mine) return false;
  pass_.finish(op, PairLayout(op.target));
  return true;
}

}  // namespace lpdm::cpu
