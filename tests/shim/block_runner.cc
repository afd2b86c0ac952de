#include "shim/block_runner.h"

#include <cstring>
#include <utility>

namespace lpdm::shim {

namespace {

// Bytes that read as NaN, as a negative integer and as an index far out of range.
constexpr int kPoison = 0xFF;

std::string text(const std::source_location& where) {
  return std::string(where.file_name()) + ":" + std::to_string(where.line());
}

bool same(const std::source_location& a, const std::source_location& b) {
  return a.line() == b.line() && std::strcmp(a.file_name(), b.file_name()) == 0;
}

}  // namespace

BlockRunner& BlockRunner::current() {
  thread_local BlockRunner runner;
  return runner;
}

void BlockRunner::run_grid(dim3 grid, dim3 block, std::size_t shared_bytes, Body body,
                           const void* arguments, std::uint64_t seed) {
  shuffler_ = Shuffler(seed);
  threads_ = block.x * block.y * block.z;
  while (fibers_.size() < threads_) fibers_.push_back(std::make_unique<Fiber>());
  shared_ = std::make_unique<std::byte[]>(shared_bytes);
  gridDim = grid;
  blockDim = block;
  const std::uint64_t blocks = std::uint64_t{grid.x} * grid.y * grid.z;
  std::vector<std::uint64_t> order(blocks);
  for (std::uint64_t k = 0; k < blocks; ++k) order[k] = k;
  shuffler_.shuffle(order);
  for (const std::uint64_t k : order) {
    blockIdx.x = static_cast<unsigned>(k % grid.x);
    blockIdx.y = static_cast<unsigned>(k / grid.x % grid.y);
    blockIdx.z = static_cast<unsigned>(k / grid.x / grid.y);
    std::memset(shared_.get(), kPoison, shared_bytes);
    run_block(body, arguments);
  }
}

void BlockRunner::run_thread(void* runner) {
  auto* self = static_cast<BlockRunner*>(runner);
  self->body_(self->arguments_);
}

void BlockRunner::run_block(Body body, const void* arguments) {
  body_ = body;
  arguments_ = arguments;
  alive_ = threads_;
  at_barrier_.clear();
  fault_.clear();
  warps_.assign((threads_ + kWarpSize - 1) / kWarpSize, {});
  ready_.clear();
  for (unsigned t = 0; t < threads_; ++t) {
    warps_[t / kWarpSize].present |= 1U << t % kWarpSize;
    fibers_[t]->start(&run_thread, this);
    ready_.push_back(t);
  }
  run_threads();
}

void BlockRunner::run_threads() {
  std::vector<unsigned> round;
  while (alive_ > 0) {
    if (ready_.empty()) report_waiting();
    round.clear();
    std::swap(round, ready_);
    shuffler_.shuffle(round);
    for (const unsigned t : round) {
      current_thread_ = t;
      threadIdx.x = t % blockDim.x;
      threadIdx.y = t / blockDim.x % blockDim.y;
      threadIdx.z = t / blockDim.x / blockDim.y;
      fibers_[t]->resume();
      if (!fault_.empty()) throw Fault(fault_);
      if (fibers_[t]->ended()) end_thread(t);
    }
  }
}

void BlockRunner::end_thread(unsigned thread) {
  --alive_;
  warps_[thread / kWarpSize].present &= ~(1U << thread % kWarpSize);
}

// Every thread that is left waits.
void BlockRunner::report_waiting() const {
  if (!at_barrier_.empty()) {
    throw Fault(std::to_string(at_barrier_.size()) + " of " + std::to_string(threads_) +
                " threads wait at the barrier of " + text(barrier_place_) +
                ", which the others will never reach" + place());
  }
  for (const Warp& warp : warps_) {
    if (warp.arrived != 0) {
      throw Fault("lanes of a warp wait at " + text(warp.where) +
                  " for lanes that will never come" + place());
    }
  }
  throw Fault("no thread can go on" + place());
}

std::string BlockRunner::place() const {
  return " (block " + std::to_string(blockIdx.x) + ", " + std::to_string(blockIdx.y) + ", " +
         std::to_string(blockIdx.z) + ")";
}

// Called by a thread: the block is given up.
void BlockRunner::fail(const std::string& what) {
  fault_ = what + place() + " thread " + std::to_string(current_thread_);
  wait();
}

void BlockRunner::wait() {
  const unsigned self = current_thread_;
  const auto index = threadIdx;
  fibers_[self]->yield();
  current_thread_ = self;
  threadIdx = index;
}

int BlockRunner::barrier(int predicate, const std::source_location& where) {
  if (at_barrier_.empty()) {
    barrier_place_ = where;
    barrier_votes_ = 0;
  } else if (!same(where, barrier_place_)) {
    fail("a thread is at the barrier of " + text(where) + " while others are at that of " +
         text(barrier_place_));
  }
  barrier_votes_ += predicate != 0 ? 1 : 0;
  at_barrier_.push_back(current_thread_);
  if (at_barrier_.size() < threads_) {
    wait();
    return barrier_result_;
  }
  barrier_result_ = barrier_votes_;
  at_barrier_.pop_back();
  ready_.insert(ready_.end(), at_barrier_.begin(), at_barrier_.end());
  at_barrier_.clear();
  return barrier_result_;
}

const std::uint64_t* BlockRunner::exchange(unsigned mask, std::uint64_t value,
                                           const std::source_location& where) {
  const unsigned self = current_thread_;
  Warp& warp = warps_[self / kWarpSize];
  const unsigned bit = 1U << self % kWarpSize;
  const unsigned existing = warps_[self / kWarpSize].present;
  if ((mask & bit) == 0) fail("a lane is not in the mask of its warp operation at " + text(where));
  if ((existing & ~mask) != 0) {
    fail("the mask of the warp operation at " + text(where) + " leaves out lanes of the warp");
  }
  if (warp.arrived == 0) {
    warp.where = where;
  } else if (!same(where, warp.where)) {
    fail("a lane is at the warp operation of " + text(where) + " while others are at that of " +
         text(warp.where));
  }
  const unsigned parity = warp.parity;
  warp.values[parity][self % kWarpSize] = value;
  warp.arrived |= bit;
  if (warp.arrived != existing) {
    wait();
    return warp.values[parity];
  }
  const unsigned first = self / kWarpSize * kWarpSize;
  for (unsigned lane = 0; lane < kWarpSize; ++lane) {
    if (first + lane != self && (warp.arrived >> lane & 1U) != 0) ready_.push_back(first + lane);
  }
  warp.arrived = 0;
  warp.parity ^= 1U;
  return warp.values[parity];
}

}  // namespace lpdm::shim
