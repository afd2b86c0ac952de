#include <fmt/format.h>
#include <sys/mman.h>

#include <cstdlib>

#include "cpu/common/context.h"
#include "lpdm/error.h"

namespace lpdm::cpu {

namespace {

// Aligned to kAlignment; what is large is made of huge pages where the system has them to give, so
// that the long sweeps over it do not miss the processor's page tables. Null if there is none.
void* allocate_aligned(std::size_t bytes) {
  constexpr std::size_t kHugePage = std::size_t{2} << 20;
  const std::size_t alignment = bytes < kHugePage ? kAlignment : kHugePage;
  const std::size_t rounded =
      (std::max<std::size_t>(bytes, 1) + kAlignment - 1) / kAlignment * kAlignment;
  if (rounded < bytes) return nullptr;
  void* memory = nullptr;
  if (posix_memalign(&memory, alignment, rounded) != 0) return nullptr;
#ifdef MADV_HUGEPAGE
  if (alignment == kHugePage) madvise(memory, rounded, MADV_HUGEPAGE);  // only advice
#endif
  return memory;
}

}  // namespace

void* MemoryCounter::allocate(std::size_t bytes) {
  void* memory = allocate_aligned(bytes);
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
