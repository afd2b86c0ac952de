#include "shim/device_memory.h"

#include <sys/mman.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>

#include "shim/sanitizers.h"

namespace lpdm::shim {

namespace {

constexpr std::size_t kRangeBytes = std::size_t{64} << 30;  // addresses, not memory
constexpr std::size_t kDefaultBytes = std::size_t{4} << 30;
constexpr std::size_t kAlignment = 256;  // as cudaMalloc's
constexpr std::size_t kRedZone = 256;    // between allocations
constexpr std::size_t kPage = 4096;
constexpr int kPoison = 0xFF;

std::size_t round_up(std::size_t value, std::size_t step) {
  return (value + step - 1) / step * step;
}

}  // namespace

DeviceMemory& DeviceMemory::get() {
  static DeviceMemory memory;
  return memory;
}

DeviceMemory::DeviceMemory() : size_(kDefaultBytes) {
  if (const char* given = std::getenv("LPDM_SHIM_MEMORY")) size_ = std::stoull(given);
  void* range =
      mmap(nullptr, kRangeBytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (range == MAP_FAILED) throw std::bad_alloc();
  range_ = static_cast<std::byte*>(range);
}

DeviceMemory::~DeviceMemory() { munmap(range_, kRangeBytes); }

std::size_t DeviceMemory::top() const {
  if (allocated_.empty()) return 0;
  const auto& [offset, bytes] = *allocated_.rbegin();
  return round_up(offset + bytes, kPage);
}

void DeviceMemory::protect(int protection) {
  if (top() > 0) mprotect(range_, top(), protection);
}

void* DeviceMemory::allocate(std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  const std::size_t wanted = bytes == 0 ? 1 : bytes;
  if (wanted > size_ - in_use_) return nullptr;
  std::size_t offset = kRedZone;  // the first gap that is large enough
  for (const auto& [begin, size] : allocated_) {
    if (begin >= offset + wanted + kRedZone) break;
    offset = round_up(begin + size, kAlignment) + kRedZone;
  }
  if (offset + wanted + kRedZone > kRangeBytes) return nullptr;
  allocated_[offset] = wanted;
  in_use_ += wanted;
  std::byte* memory = range_ + offset;
  mprotect(range_, top(), PROT_READ | PROT_WRITE);
  poison(memory - kRedZone, kRedZone + round_up(wanted, kAlignment) + kRedZone);
  unpoison(memory, wanted);
  std::memset(memory, kPoison, wanted);
  if (accesses_ == 0) protect(PROT_NONE);
  return memory;
}

bool DeviceMemory::release(void* memory) {
  const std::lock_guard lock(mutex_);
  const auto found =
      allocated_.find(static_cast<std::size_t>(static_cast<std::byte*>(memory) - range_));
  if (found == allocated_.end()) return false;
  poison(memory, found->second);
  in_use_ -= found->second;
  const std::size_t old_top = top();
  allocated_.erase(found);
  if (old_top > top()) {
    madvise(range_ + top(), old_top - top(), MADV_DONTNEED);
    mprotect(range_ + top(), old_top - top(), PROT_NONE);
  }
  return true;
}

bool DeviceMemory::owns(const void* memory) const {
  const auto* at = static_cast<const std::byte*>(memory);
  return at >= range_ && at < range_ + kRangeBytes;
}

bool DeviceMemory::holds(const void* memory, std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  if (!owns(memory)) return false;
  const auto offset = static_cast<std::size_t>(static_cast<const std::byte*>(memory) - range_);
  auto found = allocated_.upper_bound(offset);
  if (found == allocated_.begin()) return false;
  --found;
  return offset + bytes <= found->first + found->second;
}

void DeviceMemory::set_size(std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  size_ = bytes;
}

std::size_t DeviceMemory::size() {
  const std::lock_guard lock(mutex_);
  return size_;
}

std::size_t DeviceMemory::in_use() {
  const std::lock_guard lock(mutex_);
  return in_use_;
}

DeviceMemory::Access::Access() {
  DeviceMemory& memory = get();
  const std::lock_guard lock(memory.mutex_);
  if (memory.accesses_++ == 0) memory.protect(PROT_READ | PROT_WRITE);
}

DeviceMemory::Access::~Access() {
  DeviceMemory& memory = get();
  const std::lock_guard lock(memory.mutex_);
  if (--memory.accesses_ == 0) memory.protect(PROT_NONE);
}

}  // namespace lpdm::shim
