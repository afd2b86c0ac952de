// From the gradient of D to delta: the pairs at the maximum and the activation.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "common/activation.h"
#include "pairs/layer_state.h"

namespace lpdm::cuda {

// What the pairs that share the maximum add to one row and dimension, before the activation.
__device__ inline float listed_maxima(const LayerState& state, Metric metric, const float* output,
                                      std::int64_t out, std::int64_t row, std::int64_t d) {
  float sum = 0.0F;
  for (int k = 0; k < state.listed_count; ++k) {
    const auto first = static_cast<std::int64_t>(state.listed[k] >> 32);
    const auto second = static_cast<std::int64_t>(state.listed[k] & 0xFFFFFFFFU);
    if (row != first && row != second) continue;
    const std::int64_t other = row == first ? second : first;
    const float difference = output[row * out + d] - output[other * out + d];
    const float sign = difference > 0.0F ? 1.0F : (difference < 0.0F ? -1.0F : 0.0F);
    sum += state.listed_coefficient * (metric == Metric::kL1 ? sign : difference);
  }
  return sum;
}

// activation' at an output y, where the layer's delta goes through it.
__device__ inline float delta_slope(const LocalLossLayer& layer, float y) {
  return layer.delta_through_activation ? activation_slope(layer.activation, y) : 1.0F;
}

}  // namespace lpdm::cuda
