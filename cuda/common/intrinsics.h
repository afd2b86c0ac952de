// Device features that no C++ for the host could spell; the execution shim has a twin of this file.
#pragma once

#include <cuda_runtime.h>

namespace lpdm::cuda {

// The block's dynamic shared memory, as many bytes as the launch asked for.
template <class T>
__device__ T* dynamic_shared() {
  extern __shared__ __align__(16) unsigned char shared_bytes[];
  return reinterpret_cast<T*>(shared_bytes);
}

}  // namespace lpdm::cuda
