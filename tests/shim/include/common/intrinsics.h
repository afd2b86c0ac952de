// What cuda/common/intrinsics.h has, for the host.
#pragma once

#include "cuda_runtime.h"

namespace lpdm::cuda {

template <class T>
T* dynamic_shared() {
  return reinterpret_cast<T*>(shim::BlockRunner::current().shared_memory());
}

}  // namespace lpdm::cuda
