// CUB's device-wide algorithms, which only nvcc compiles, with memory of the stream's own.
#pragma once

#include <cstddef>
#include <cstdint>

#include "common/checks.h"
#include "common/context.h"

namespace lpdm::cuda {

// Makes the call twice, as CUB wants it: without memory it says how many bytes it needs.
template <class Call>
void call_cub(Context& context, const char* what, const Call& call) {
  std::size_t bytes = 0;
  check(call(nullptr, bytes), what);
  check(call(context.scratch<std::byte>(static_cast<std::int64_t>(bytes)), bytes), what);
}

}  // namespace lpdm::cuda
