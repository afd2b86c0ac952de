// What AddressSanitizer has to know of stacks and memory that the shim manages itself; nothing
// where the build has no sanitizer.
#pragma once

#include <cstddef>

#if defined(__SANITIZE_ADDRESS__)
#define LPDM_SHIM_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LPDM_SHIM_ASAN 1
#endif
#endif

#if defined(LPDM_SHIM_ASAN)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

namespace lpdm::shim {

#if defined(LPDM_SHIM_ASAN)

inline constexpr bool kAddressSanitizer = true;

inline void start_switch(void** fake_stack, const void* stack, std::size_t size) {
  __sanitizer_start_switch_fiber(fake_stack, stack, size);
}
inline void finish_switch(void* fake_stack, const void** old_stack, std::size_t* old_size) {
  __sanitizer_finish_switch_fiber(fake_stack, old_stack, old_size);
}
inline void poison(const void* memory, std::size_t bytes) {
  __asan_poison_memory_region(memory, bytes);
}
inline void unpoison(const void* memory, std::size_t bytes) {
  __asan_unpoison_memory_region(memory, bytes);
}

#else

inline constexpr bool kAddressSanitizer = false;

inline void start_switch(void**, const void*, std::size_t) {}
inline void finish_switch(void*, const void**, std::size_t*) {}
inline void poison(const void*, std::size_t) {}
inline void unpoison(const void*, std::size_t) {}

#endif

}  // namespace lpdm::shim
