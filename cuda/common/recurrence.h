// x ← scale · x + offset, the step of a linear recurrence, as a value that can be combined.
//
// Steps are scanned by block_scan, in chunks of a fixed size, and not by CUB's device-wide scan:
// that one combines in an order that varies from run to run, and with it the rounding.
#pragma once

#include <cuda_runtime.h>

namespace lpdm::cuda {

struct Affine {
  double scale = 1.0;
  double offset = 0.0;

  __device__ double operator()(double x) const { return scale * x + offset; }
};

// First `earlier`, then `later`.
struct Then {
  __device__ Affine operator()(const Affine& earlier, const Affine& later) const {
    return {later.scale * earlier.scale, later.scale * earlier.offset + later.offset};
  }
};

}  // namespace lpdm::cuda
