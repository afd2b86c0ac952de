// The files that a policy can leave in; docs/export.md describes each for whoever reads them.
#pragma once

#include <string>

#include "export/policy_snapshot.h"
#include "io/safetensors.h"

namespace lpdm {

// An ONNX model: opset 17, input "observation" (N, observation_size) float32; outputs "logits"
// (N, action.size) and "action" (N) int64, or "mean" (N, action.size) and "std" (action.size).
std::string export_onnx(const PolicySnapshot& snapshot);

// A header in C99 without dependencies but the C library's: weights, a forward function, and an
// example by which it tests itself.
std::string export_c_header(const PolicySnapshot& snapshot);

// Weights, statistics and the example by name.
TensorFile export_safetensors(const PolicySnapshot& snapshot);

}  // namespace lpdm
