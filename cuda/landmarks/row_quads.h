// The batch's rows in pieces of 16 bytes.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "common/context.h"
#include "lpdm/rows.h"

namespace lpdm::cuda {

// Row r begins at data[r · pitch], 16-byte aligned. From dim up to pitch, a multiple of 4, it is
// zero.
struct RowQuads {
  const float* data = nullptr;
  std::int64_t dim = 0;
  std::int64_t pitch = 0;
};

// values: (N, dim). Those themselves where their rows lie like that, else a copy in scratch memory.
RowQuads row_quads(Context& context, const Rows& rows, const float* values, std::int64_t dim);

// Zeros where there is nothing.
__device__ inline float4 load_quad(const float* at, bool is_there) {
  return is_there ? *reinterpret_cast<const float4*>(at) : make_float4(0.0F, 0.0F, 0.0F, 0.0F);
}

}  // namespace lpdm::cuda
