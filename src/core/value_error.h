// The value loss of one row, on host and device.
#pragma once

#include "core/host_device.h"

namespace lpdm {

struct ValueError {
  double squared;   // (V − R)²
  double gradient;  // ∂squared/∂V
};

// clip > 0: the larger one of the errors of V and of V kept within old ± clip (PPO).
LPDM_HOST_DEVICE inline ValueError value_error(double value, double target, double old,
                                               double clip) {
  const double error = value - target;
  const ValueError plain{error * error, 2.0 * error};
  if (!(clip > 0.0)) return plain;
  const double low = old - clip, high = old + clip;
  const double kept = (value < low ? low : (value > high ? high : value)) - target;
  // Where it is the larger one V has been clipped, and moving it changes nothing.
  return kept * kept > plain.squared ? ValueError{kept * kept, 0.0} : plain;
}

}  // namespace lpdm
