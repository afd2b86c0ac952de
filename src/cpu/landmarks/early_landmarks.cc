#include "cpu/landmarks/early_landmarks.h"

#include <algorithm>
#include <thread>

namespace lpdm::cpu {

namespace {

constexpr std::int64_t kNobody = -1;

// Whether nothing but drawn landmarks says which pairs are compared.
bool takes(const PairwiseTarget& target) {
  return target.episode_ends == nullptr && target.low_rank == 0 &&
         target.sparse == SparsePairs::kNone;
}

}  // namespace

EarlyLandmarks::EarlyLandmarks(Context& context, const DrawLandmarks& draw)
    : context_(context), draw_(draw), pass_(context) {}

// Layers that go together are followed, so that what a sweep leaves is still cached.
std::int64_t EarlyLandmarks::most_rows(std::int64_t outputs) {
  return LandmarkPass::kMostOutputs / std::max<std::int64_t>(1, outputs);
}

bool EarlyLandmarks::begin(const LocalLoss& op, std::int64_t capacity) {
  pause();
  capacity_ = 0;
  std::int64_t outputs = 0;
  for (std::int64_t l = 0; l < op.layer_count; ++l) outputs += op.layers[l].out;
  capacity = std::min(capacity, most_rows(outputs));
  const std::int64_t enough = std::max(kLandmarkBlock, 2 * draw_.landmarks);
  if (context_.pool.size() == 1 || op.target_rule != TargetRule::kInput || !takes(op.target) ||
      draw_.landmarks > kMostLandmarks || capacity < enough) {
    return false;
  }
  target_ = op.target;
  layers_.assign(op.layers, op.layers + op.layer_count);
  reservoir_.emplace(draw_.seed, *draw_.iteration, draw_.landmarks);
  landmarks_.assign(static_cast<std::size_t>(draw_.landmarks), kNobody);
  drawn_in_.assign(landmarks_.size(), 0);
  done_in_.assign(static_cast<std::size_t>(ceil_div(capacity, kLandmarkBlock)), 0);
  changed_.reserve(landmarks_.size());
  pass_.expect(op, capacity, landmarks_.data(), draw_.landmarks);
  step_ = started_ = formed_ = 0;
  complete_ = false;
  capacity_ = capacity;
  return true;
}

void EarlyLandmarks::advance(std::int64_t rows) {
  if (running_) {
    if (!context_.pool.idle()) return;
    pause();
  }
  const std::int64_t full = std::min(rows, capacity_) / kLandmarkBlock;
  if (full > started_ && full * kLandmarkBlock >= draw_.landmarks) start(full);
}

// landmarks: (M), the rows that are drawn now
void EarlyLandmarks::begin_step(const std::int64_t* landmarks) {
  ++step_;
  std::int64_t oldest = 0;  // of the blocks that have been compared with any
  for (const std::int64_t step : done_in_) {
    if (step > 0 && (oldest == 0 || step < oldest)) oldest = step;
  }
  changed_.clear();
  for (std::size_t m = 0; m < landmarks_.size(); ++m) {
    if (landmarks_[m] != landmarks[m]) drawn_in_[m] = step_;
    landmarks_[m] = landmarks[m];
    if (drawn_in_[m] > oldest) changed_.push_back(static_cast<std::int32_t>(m));
  }
  claimed_ = packed_ = changed_.empty() ? pass_.matrices() : 0;
}

void EarlyLandmarks::start(std::int64_t blocks) {
  reservoir_->grow(blocks * kLandmarkBlock);
  begin_step(reservoir_->places());
  started_ = blocks;
  task_ = [this](std::int64_t block, int) {
    if (!stop_.load(std::memory_order_relaxed)) run_block(block);
  };
  running_ = true;
  context_.pool.start(blocks, task_);
}

void EarlyLandmarks::run_block(std::int64_t block) {
  pack_landmarks();
  std::int64_t& done_in = done_in_[static_cast<std::size_t>(block)];
  if (done_in == 0 || !changed_.empty()) pass_.form_distances(block, done_in > 0);
  done_in = step_;
}

// Every task sees to it that the landmarks of all matrices are packed: it packs those that none has
// claimed, and waits for those that others are packing.
void EarlyLandmarks::pack_landmarks() {
  const std::int64_t matrices = pass_.matrices();
  for (std::int64_t matrix = 0; (matrix = claimed_.fetch_add(1)) < matrices;) {
    pass_.renew_landmarks(matrix, changed_);
    packed_.fetch_add(1);
  }
  while (packed_.load() < matrices) std::this_thread::yield();
}

// The tasks throw nothing: their memory is there since begin.
void EarlyLandmarks::pause() noexcept {
  if (!running_) return;
  stop_ = true;
  context_.pool.finish();
  stop_ = false;
  running_ = false;
  formed_ = std::ranges::count_if(done_in_, [](std::int64_t step) { return step > 0; });
}

bool EarlyLandmarks::follows(const PairwiseTarget& target) {
  if (!takes(target) || !LandmarkPass::takes(target) || target.input != target_.input ||
      target.dim != target_.dim || target.metric != target_.metric ||
      *target.landmark_count != draw_.landmarks) {
    return false;
  }
  const std::int64_t rows = *target.rows.count;
  if (rows > capacity_ || rows < started_ * kLandmarkBlock) return false;
  reservoir_->grow(rows);
  return std::equal(target.landmarks, target.landmarks + draw_.landmarks, reservoir_->places());
}

bool EarlyLandmarks::finish(const TargetStatistics& op) {
  pause();
  if (capacity_ == 0 || complete_ || !follows(op.target)) {
    capacity_ = 0;
    return false;
  }
  begin_step(op.target.landmarks);
  pass_.settle(op.target);
  const std::int64_t blocks = ceil_div(*op.target.rows.count, kLandmarkBlock);
  // From the last block on, since that is where most is left.
  context_.pool.parallel_for(blocks, [&](std::int64_t task, int) {
    run_block(blocks - 1 - task);
    pass_.close_distances(blocks - 1 - task);
  });
  pass_.finish(op);
  complete_ = true;
  return true;
}

bool EarlyLandmarks::follows(const LocalLoss& op) const {
  const auto same = [](const LocalLossLayer& a, const LocalLossLayer& b) {
    return a.output == b.output && a.out == b.out && a.activation == b.activation &&
           a.delta == b.delta && a.delta_through_activation == b.delta_through_activation;
  };
  return op.target_rule == TargetRule::kInput && op.target.input == target_.input &&
         op.target.metric == target_.metric &&
         std::equal(layers_.begin(), layers_.end(), op.layers, op.layers + op.layer_count, same);
}

bool EarlyLandmarks::finish(const LocalLoss& op) {
  const bool mine = capacity_ > 0 && complete_ && follows(op);
  capacity_ = 0;
  if (mine) pass_.finish(op);
  return mine;
}

}  // namespace lpdm::cpu
