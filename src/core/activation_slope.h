// The derivative of activation functions, on host and device.
#pragma once

#include "core/host_device.h"
#include "lpdm/config.h"

namespace lpdm {

// activation'(x) from the output y = activation(x).
LPDM_HOST_DEVICE inline float activation_slope(Activation activation, float y) {
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

}  // namespace lpdm
