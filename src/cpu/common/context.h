// What every CPU op needs: the threads, and scratch memory that is counted.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>

#include "lpdm/thread_pool.h"

namespace lpdm::cpu {

inline constexpr std::size_t kAlignment = 64;  // one AVX-512 vector, one cache line

// Counts the bytes that the backend holds. Allocations may come from any thread.
class MemoryCounter {
 public:
  // Throws Error with the numbers if the system has no memory left.
  void* allocate(std::size_t bytes);
  void release(void* memory, std::size_t bytes) noexcept;
  std::size_t peak_bytes() const { return peak_.load(); }

 private:
  std::atomic<std::size_t> current_{0};
  std::atomic<std::size_t> peak_{0};
};

// Uninitialised memory that grows and is kept for the next call.
template <class T>
class Scratch {
 public:
  explicit Scratch(MemoryCounter& memory) : memory_(&memory) {}
  ~Scratch() { memory_->release(data_, capacity_ * sizeof(T)); }
  Scratch(Scratch&& other) noexcept
      : memory_(other.memory_),
        data_(std::exchange(other.data_, nullptr)),
        capacity_(std::exchange(other.capacity_, 0)) {}
  Scratch& operator=(Scratch&&) = delete;

  // At least `size` elements; what was in it is lost when it grows.
  T* get(std::int64_t size) {
    const auto wanted = static_cast<std::size_t>(std::max<std::int64_t>(size, 1));
    if (wanted > capacity_) {
      memory_->release(data_, capacity_ * sizeof(T));
      data_ = nullptr;
      capacity_ = 0;
      data_ = static_cast<T*>(memory_->allocate(wanted * sizeof(T)));
      capacity_ = wanted;
    }
    return data_;
  }

  // What get returned last.
  T* data() const { return data_; }

 private:
  MemoryCounter* memory_;
  T* data_ = nullptr;
  std::size_t capacity_ = 0;
};

struct Context {
  ThreadPool& pool;
  MemoryCounter& memory;
  bool fixed = false;  // backend.arithmetic: pairs of l1 in 16-bit levels
};

inline std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

}  // namespace lpdm::cpu
