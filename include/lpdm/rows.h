// How many rows an op works on.
#pragma once

#include <cstdint>

namespace lpdm {

// N, the number of rows in use: read by the op when it runs; never more than `capacity`, which is
// what buffers were allocated for.
struct Rows {
  const std::int64_t* count = nullptr;  // in backend memory
  std::int64_t capacity = 0;
};

}  // namespace lpdm
