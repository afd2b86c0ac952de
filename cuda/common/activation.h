// Activation functions of dense layers.
#pragma once

#include <cuda_runtime.h>

#include "lpdm/config.h"

namespace lpdm::cuda {

__device__ inline float activate(Activation activation, float x) {
  switch (activation) {
    case Activation::kTanh:
      return tanhf(x);
    case Activation::kRelu:
      return fmaxf(x, 0.0F);
    case Activation::kIdentity:
      break;
  }
  return x;
}

// activation' as a function of its result y.
__device__ inline float activation_gradient(Activation activation, float y) {
  switch (activation) {
    case Activation::kTanh:
      return 1.0F - y * y;
    case Activation::kRelu:
      return y > 0.0F ? 1.0F : 0.0F;
    case Activation::kIdentity:
      break;
  }
  return 1.0F;
}

}  // namespace lpdm::cuda
