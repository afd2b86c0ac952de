// The coefficients of pairs of a row and a landmark, four at a time.
#pragma once

#include <cuda_runtime.h>

#include "pairs/layer_state.h"
#include "pairs/target_tile.cuh"

namespace lpdm::cuda {

__device__ inline float4 operator+(float4 a, float4 b) {
  return make_float4(a.x + b.x, a.y + b.y, a.z + b.z, a.w + b.w);
}

// What turns distances of the inputs and outputs of four pairs into their coefficients.
struct CoefficientRule {
  Metric metric;
  TargetScales scales;
  float target, distance;  // weights, the layer's factor included
  float maximum, of_maximum;

  __device__ CoefficientRule(const LayerState& state, const TargetScales& of_target,
                             Metric of_metric)
      : metric(of_metric), scales(of_target) {
    // Twice: Σ c · sign = 2 (Σ c · step − ½ Σ c).
    const double factor = (metric == Metric::kL1 ? 2.0 : 1.0) * state.factor;
    target = static_cast<float>(factor * state.weights.target);
    distance = static_cast<float>(factor * state.weights.distance);
    maximum = state.weights.maximum;
    of_maximum = static_cast<float>(factor * state.maximum_coefficient);
  }
  // Of four rows and a landmark. x: D of the inputs; d: D of the outputs; shifts: of the rows.
  __device__ float4 of(float4 x, float4 d, float4 shifts, float other) const {
    const auto plain = [&](float input, float output, float shift) {
      return __fmaf_rn(-distance, output,
                       __fmul_rn(target, normalized(input, scales, shift, other)));
    };
    float4 c = make_float4(plain(x.x, d.x, shifts.x), plain(x.y, d.y, shifts.y),
                           plain(x.z, d.z, shifts.z), plain(x.w, d.w, shifts.w));
    if (of_maximum != 0.0F) {
      c = c + make_float4(share(d.x), share(d.y), share(d.z), share(d.w));
    }
    if (metric == Metric::kL2) {
      c = make_float4(__fdiv_rn(c.x, d.x), __fdiv_rn(c.y, d.y), __fdiv_rn(c.z, d.z),
                      __fdiv_rn(c.w, d.w));
    }
    // Equal rows, a row and itself among them, have no direction.
    return make_float4(d.x > 0.0F ? c.x : 0.0F, d.y > 0.0F ? c.y : 0.0F, d.z > 0.0F ? c.z : 0.0F,
                       d.w > 0.0F ? c.w : 0.0F);
  }

 private:
  __device__ float share(float d) const { return d == maximum ? of_maximum : 0.0F; }
};

__device__ inline float sum_of(float4 quad) { return (quad.x + quad.y) + (quad.z + quad.w); }

}  // namespace lpdm::cuda
