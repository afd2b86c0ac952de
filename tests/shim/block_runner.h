// Runs the threads of one block after another as fibers, in shuffled order.
//
// A thread runs until it waits at a barrier or for the other lanes of its warp; who goes on next is
// drawn. Threads that wait for something that cannot come are reported as a Fault. Used by one host
// thread at a time; shared memory is filled with NaN patterns before each block.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <source_location>
#include <stdexcept>
#include <string>
#include <vector>

#include "shim/device_types.h"
#include "shim/fiber.h"

namespace lpdm::shim {

// A kernel did what the device leaves undefined.
class Fault : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// A sequence of numbers that differ from seed to seed.
class Shuffler {
 public:
  explicit Shuffler(std::uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15U + 1) {}
  // Uniform in [0, bound).
  std::uint32_t below(std::uint32_t bound) {
    state_ = state_ * 6364136223846793005U + 1442695040888963407U;
    return static_cast<std::uint32_t>((state_ >> 32) * bound >> 32);
  }
  template <class T>
  void shuffle(std::vector<T>& list) {
    for (std::size_t k = list.size(); k > 1; --k) {
      std::swap(list[k - 1], list[below(static_cast<std::uint32_t>(k))]);
    }
  }

 private:
  std::uint64_t state_;
};

class BlockRunner {
 public:
  using Body = void (*)(const void* arguments);

  // The runner of this host thread; kernels' intrinsics find it here.
  static BlockRunner& current();

  // Runs all blocks of a grid, shuffled too.
  void run_grid(dim3 grid, dim3 block, std::size_t shared_bytes, Body body, const void* arguments,
                std::uint64_t seed);

  std::byte* shared_memory() { return shared_.get(); }

  // Waits for all threads of the block, which must come from the same place in the source.
  // Returns how many of them passed a predicate other than 0.
  int barrier(int predicate, const std::source_location& where);

  // What the lanes of the warp that `mask` names have given, by lane.
  const std::uint64_t* exchange(unsigned mask, std::uint64_t value,
                                const std::source_location& where);
  unsigned lane() const { return current_thread_ % kWarpSize; }

  static constexpr unsigned kWarpSize = 32;

 private:
  struct Warp {
    std::uint64_t values[2][kWarpSize] = {};
    unsigned present = 0;  // lanes that have not ended
    unsigned arrived = 0;
    unsigned parity = 0;
    std::source_location where;
  };

  static void run_thread(void* runner);
  void run_block(Body body, const void* arguments);
  void run_threads();
  void end_thread(unsigned thread);
  void wait();
  [[noreturn]] void report_waiting() const;
  void fail(const std::string& what);
  std::string place() const;

  std::vector<std::unique_ptr<Fiber>> fibers_;
  std::vector<Warp> warps_;
  std::vector<unsigned> ready_;
  unsigned threads_ = 0;
  unsigned alive_ = 0;
  unsigned current_thread_ = 0;
  Body body_ = nullptr;
  const void* arguments_ = nullptr;
  std::vector<unsigned> at_barrier_;
  std::source_location barrier_place_;
  int barrier_votes_ = 0;
  int barrier_result_ = 0;
  std::string fault_;
  std::unique_ptr<std::byte[]> shared_;
  Shuffler shuffler_{0};
};

}  // namespace lpdm::shim
