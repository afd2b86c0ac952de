// The batch's rows in pieces of 16 bytes.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "common/context.h"
#include "lpdm/rows.h"

namespace lpdm::cuda {

// Row r begins at data[r · pitch], 16-byte aligned; pitch is a multiple of 4.
template <class T>
struct Quads {
  T* data = nullptr;
  std::int64_t pitch = 0;
};
using RowQuads = Quads<const float>;
using WritableQuads = Quads<float>;

// values: (N, dim). Those themselves where their rows lie like that, else a copy in scratch memory
// that has zeros from dim up to pitch.
RowQuads row_quads(Context& context, const Rows& rows, const float* values, std::int64_t dim);

// Where to write (capacity, dim): `values` itself, or scratch memory that copy_back copies there.
WritableQuads writable_quads(Context& context, const Rows& rows, float* values, std::int64_t dim);
void copy_back(Context& context, const Rows& rows, const WritableQuads& from, float* values,
               std::int64_t dim);

}  // namespace lpdm::cuda
