// Activation functions of whole rows, and their derivatives from the output y.
#pragma once

#include <cstdint>

#include "core/activation_slope.h"
#include "cpu/common/context.h"
#include "lpdm/config.h"
#include "lpdm/ops.h"

namespace lpdm::cpu {

// values[i] ← activation(values[i])
void apply_activation(Activation activation, float* values, std::int64_t size);

// values[r][o] ← activation(values[r][o] + bias[o]); values: (rows, out)
void apply_bias_and_activation(Activation activation, const float* bias, std::int64_t rows,
                               std::int64_t out, float* values);

// sums[o] += Σ_r values[r][o], in the order of r; values: (rows, columns) of rows `stride` apart
void add_column_sums(const float* values, std::int64_t rows, std::int64_t stride,
                     std::int64_t columns, float* sums);

// The activation that a layer's delta goes through.
inline Activation delta_activation(const LocalLossLayer& layer) {
  return layer.delta_through_activation ? layer.activation : Activation::kIdentity;
}

// delta[i] ← factor · delta[i] · activation'(·), with activation' from the output: 1 − y² for tanh.
// On the calling thread, or on all.
void scale_by_activation_gradient(Activation activation, float factor, const float* output,
                                  std::int64_t size, float* delta);
void scale_by_activation_gradient(Context& context, Activation activation, float factor,
                                  const float* output, std::int64_t size, float* delta);

}  // namespace lpdm::cpu
