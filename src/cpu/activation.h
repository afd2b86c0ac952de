// Activation functions and their derivatives, written in terms of the output y.
#pragma once

#include <cstdint>

#include "cpu/context.h"
#include "lpdm/config.h"

namespace lpdm::cpu {

// values[i] ← activation(values[i])
void apply_activation(Activation activation, float* values, std::int64_t size);

// delta[i] ← factor · delta[i] · activation'(·), with activation' from the output: 1 − y² for tanh.
void scale_by_activation_gradient(Context& context, Activation activation, float factor,
                                  const float* output, std::int64_t size, float* delta);

}  // namespace lpdm::cpu
