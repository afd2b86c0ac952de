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

// More dynamic shared memory than this has to be asked for, kernel by kernel.
inline constexpr std::size_t kFreeSharedBytes = 48 * 1024;

// Enqueues kernel(arguments...), each argument converted to its parameter's type.
template <class... Parameters, class... Arguments>
void launch(void (*kernel)(Parameters...), const LaunchShape& shape, cudaStream_t stream,
            Arguments&&... arguments) {
  if (shape.shared_bytes > kFreeSharedBytes) {
    check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                               static_cast<int>(shape.shared_bytes)),
          "the shared memory of a block");
  }
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
