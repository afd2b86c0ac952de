// Prefetching of memory that is about to be written.
#pragma once

namespace lpdm::cpu {

// The line of memory that `to` is in, for this core alone: other cores may have read it. The
// compiler's builtin only reads, unless it is told that the processor has the instruction; those
// that have not take it for nothing.
inline void prefetch_for_write(const float* to) {
#if defined(__x86_64__)
  asm volatile("prefetchw %0" : : "m"(*to));
#else
  __builtin_prefetch(to, 1);
#endif
}

}  // namespace lpdm::cpu
