#include <fmt/format.h>

#include <cstdlib>

#include "cpu/context.h"
#include "lpdm/error.h"

namespace lpdm::cpu {

void* MemoryCounter::allocate(std::size_t bytes) {
  const std::size_t rounded =
      (std::max<std::size_t>(bytes, 1) + kAlignment - 1) / kAlignment * kAlignment;
  void* memory = rounded < bytes ? nullptr : std::aligned_alloc(kAlignment, rounded);
  if (memory == nullptr) {
    throw Error(fmt::format(
        "out of memory: {:.1f} MB more were asked for on top of {:.1f} MB; use fewer or shorter "
        "episodes per update, or hidden.pairs landmarks:M",
        static_cast<double>(bytes) / 1e6, static_cast<double>(current_.load()) / 1e6));
  }
  const std::size_t now = current_.fetch_add(bytes) + bytes;
  std::size_t peak = peak_.load();
  while (now > peak && !peak_.compare_exchange_weak(peak, now)) {
  }
  return memory;
}

void MemoryCounter::release(void* memory, std::size_t bytes) noexcept {
  if (memory == nullptr) return;
  std::free(memory);
  current_.fetch_sub(bytes);
}

}  // namespace lpdm::cpu
