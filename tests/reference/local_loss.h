// The local loss in float64, written as plainly as the mathematics: full N×N matrices and loops.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "lpdm/config.h"

namespace lpdm::reference {

using Values = std::vector<double>;

// What error propagation takes from the layer below.
struct PreviousLayer {
  std::int64_t dim = 0;
  Values input;  // (n, dim)
  Values error;  // (n, n)
};

struct LocalLossInputs {
  std::int64_t n = 0;
  std::int64_t dim = 0;
  std::int64_t out = 0;
  Values x;                             // (n, dim)
  Values y;                             // (n, out)
  Values values;                        // (n), empty: unguided
  std::vector<std::int64_t> landmarks;  // empty: all pairs
  // One past each episode's last row: only pairs within an episode; empty: any.
  std::vector<std::int64_t> episode_ends = {};
  LocalLossConfig options;
  std::optional<PreviousLayer> previous;  // none: T of x
};

struct LocalLossResult {
  double loss = 0.0;
  double correlation = 0.0;
  double mean_distance = 0.0;
  Values grad_y;  // (n, out)
  Values error;   // (n, n)
};

LocalLossResult local_loss(const LocalLossInputs& inputs);

// One layer's outputs, (n, out).
struct LayerOutputs {
  std::int64_t out = 0;
  Values y;
};

// The losses of a stack of layers, from the input on, each with the target that the options say.
// inputs.out and inputs.y are not used.
std::vector<LocalLossResult> local_losses(const LocalLossInputs& inputs,
                                          const std::vector<LayerOutputs>& layers);

// tanh(h wᵀ + b); h (n, in), w (out, in), b (out).
Values dense_tanh(const Values& h, const Values& w, const Values& b, std::int64_t n);

// (grad_y ⊙ (1 − y²))ᵀ h as (out, in), and its column sums.
struct DenseGradients {
  Values weight;
  Values bias;
};
DenseGradients dense_tanh_gradients(const Values& grad_y, const Values& y, const Values& h,
                                    std::int64_t n);

}  // namespace lpdm::reference
