// The coefficients of pairs of a row and a landmark, four at a time.
#pragma once

#include <cuda_runtime.h>

#include "pairs/layer_state.h"

namespace lpdm::cuda {

__device__ inline float4 operator+(float4 a, float4 b) {
  return make_float4(a.x + b.x, a.y + b.y, a.z + b.z, a.w + b.w);
}

// What turns T and D of four pairs into their coefficients.
struct CoefficientRule {
  Metric metric;
  float target, distance;  // weights, the layer's factor included
  float maximum, of_maximum;

  __device__ CoefficientRule(const LayerState& state, Metric of_metric) : metric(of_metric) {
    // Twice: Σ c · sign = 2 (Σ c · step − ½ Σ c).
    const double factor = (metric == Metric::kL1 ? 2.0 : 1.0) * state.factor;
    target = static_cast<float>(factor * state.weights.target);
    distance = static_cast<float>(factor * state.weights.distance);
    maximum = state.weights.maximum;
    of_maximum = static_cast<float>(factor * state.maximum_coefficient);
  }
  __device__ float4 of(float4 t, float4 d) const {
    float4 c = make_float4(plain(t.x, d.x), plain(t.y, d.y), plain(t.z, d.z), plain(t.w, d.w));
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
  __device__ float plain(float t, float d) const {
    return __fmaf_rn(-distance, d, __fmul_rn(target, t));
  }
  __device__ float share(float d) const { return d == maximum ? of_maximum : 0.0F; }
};

__device__ inline float sum_of(float4 quad) { return (quad.x + quad.y) + (quad.z + quad.w); }

}  // namespace lpdm::cuda
