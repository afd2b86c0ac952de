// Starting kernels: one function, so that the same source also compiles without nvcc.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <tuple>
#include <utility>

#include "common/checks.h"

namespace lpdm::cuda {

struct LaunchShape {
  dim3 grid;
  dim3 block;
  std::size_t shared_bytes = 0;  // dynamic shared memory of a block
};

// A block's shared memory that need not be asked for: static and dynamic together.
inline constexpr std::size_t kFreeSharedBytes = 48 * 1024;

// Lets the kernel's blocks have so much dynamic shared memory; no less than before.
template <class Kernel>
void allow_shared_bytes(Kernel kernel, std::size_t bytes) {
  cudaFuncAttributes attributes{};
  check(cudaFuncGetAttributes(&attributes, kernel), "the attributes of a kernel");
  if (attributes.sharedSizeBytes + bytes <= kFreeSharedBytes) return;
  const auto allowed = static_cast<std::size_t>(attributes.maxDynamicSharedSizeBytes);
  if (allowed > kFreeSharedBytes && bytes <= allowed) return;  // asked for before
  check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                             static_cast<int>(bytes)),
        "the shared memory of a block");
}

// Enqueues kernel(arguments...), each argument converted to its parameter's type.
template <class... Parameters, class... Arguments>
void launch(void (*kernel)(Parameters...), const LaunchShape& shape, cudaStream_t stream,
            Arguments&&... arguments) {
  if (shape.shared_bytes > 0) allow_shared_bytes(kernel, shape.shared_bytes);
  std::tuple<Parameters...> values(std::forward<Arguments>(arguments)...);
  std::apply(
      [&](auto&... value) {
        // One more, so that a kernel without parameters has an array too.
        void* pointers[] = {const_cast<void*>(static_cast<const void*>(&value))..., nullptr};
        check(
            cudaLaunchKernel(kernel, shape.grid, shape.block, pointers, shape.shared_bytes, stream),
            "the start of a kernel");
      },
      values);
}

}  // namespace lpdm::cuda
