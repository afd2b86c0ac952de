// Activation functions of dense layers; their derivatives are the CPU's (core/activation_slope.h).
#pragma once

#include <cuda_runtime.h>

#include "core/activation_slope.h"
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

}  // namespace lpdm::cuda
