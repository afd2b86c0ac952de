// The arguments of every backend op, as plain structs of pointers into backend memory.
//
// Matrices are row-major and contiguous, shapes are given as `// (N, out)`. What may change from
// one update to the next (the number of rows, Adam's step, drawn landmark rows, losses) is itself
// in backend memory, so that an update can be recorded once and replayed.
#pragma once

#include <cstdint>

#include "lpdm/config.h"
#include "lpdm/rl_ops.h"
#include "lpdm/rows.h"

namespace lpdm {

// ---- dense layers -------------------------------------------------------------------------------

// output = activation(input weightᵀ + bias)
struct DenseForward {
  Rows rows;
  std::int64_t in = 0;
  std::int64_t out = 0;
  Activation activation = Activation::kTanh;
  const float* input = nullptr;   // (N, in)
  const float* weight = nullptr;  // (out, in)
  const float* bias = nullptr;    // (out)
  float* output = nullptr;        // (N, out)
  // A local loss over all pairs of these rows will follow: backends may prepare for it. Nothing
  // else may write to `output` then.
  bool compared = false;
};

// weight_gradient = deltaᵀ input, bias_gradient = column sums of delta
struct DenseGradient {
  Rows rows;
  std::int64_t in = 0;
  std::int64_t out = 0;
  const float* delta = nullptr;      // (N, out), gradient with respect to the pre-activation
  const float* input = nullptr;      // (N, in)
  float* weight_gradient = nullptr;  // (out, in)
  float* bias_gradient = nullptr;    // (out)
};

// input_delta = (delta weight + value_scale · value_delta value_weight) ⊙ activation'(input):
// backpropagation through one layer, or through policy and value head to the features they share.
struct DenseInputGradient {
  Rows rows;
  std::int64_t in = 0;
  std::int64_t out = 0;
  Activation activation = Activation::kTanh;  // of the layer below, whose output is `input`
  const float* delta = nullptr;               // (N, out)
  const float* weight = nullptr;              // (out, in)
  const float* input = nullptr;               // (N, in)
  const float* value_delta = nullptr;         // (N); null: there is no value head on this input
  const float* value_weight = nullptr;        // (in)
  double value_scale = 1.0;                   // weight of the value loss
  float* input_delta = nullptr;               // (N, in)
};

// ---- local pairwise distance matching -----------------------------------------------------------

// What all layers share about the target T = (D_X · input_scale + g_i + g_j) · target_scale.
struct TargetScales {
  double input_scale = 1.0;   // 1 / max D_X (guide_base normalized), else 1
  double target_scale = 1.0;  // 1 / max D̂; 0 if every entry is 0
};

// The target side of the local loss: the network's input and, if guided, a value per row.
struct PairwiseTarget {
  Rows rows;
  std::int64_t dim = 0;
  const float* input = nullptr;  // (N, dim)
  Metric metric = Metric::kL1;   // of inputs and outputs alike
  const float* shift = nullptr;  // (N), g in [0, ½] (guided_shift); null: unguided
  GuideBase guide_base = GuideBase::kNormalized;
  const std::int64_t* landmarks = nullptr;       // (M) kept rows, distinct; null: all pairs
  const std::int64_t* landmark_count = nullptr;  // M
  std::int64_t landmark_capacity = 0;            // M is never more; 0: than rows.capacity
  SparsePairs sparse = SparsePairs::kNone;       // which entries each row keeps; not with landmarks
  // (episodes), one past each episode's last row: only pairs within an episode are kept; null: any.
  // With neither landmarks nor sparse pairs.
  const std::int64_t* episode_ends = nullptr;
  const std::int64_t* episode_count = nullptr;
  // R > 0: distances are cosine series of R terms (docs/method.md, lowrank). Metric l1, targets of
  // the network input and all pairs only.
  std::int64_t low_rank = 0;
};

// g = (1 − v)/2 of the values rescaled to [0, 1]; constant values give g = ½ (method: guided loss).
struct GuidedShift {
  Rows rows;
  const float* values = nullptr;  // (N)
  float* shift = nullptr;         // (N)
};

class RowFollower;

// Finds the maxima that normalise T, exactly.
struct TargetStatistics {
  PairwiseTarget target;
  TargetRule target_rule = TargetRule::kInput;  // as in the LocalLoss that follows
  TargetScales* scales = nullptr;
  RowFollower* follower = nullptr;  // as in the LocalLoss that follows
};

// One layer's loss and the paper's failure signatures. Means and correlations are those of the kept
// entries of the N×N matrices, the diagonal included; with sparse pairs, of the entries that the
// rows keep, without the diagonal. The maximum is that of all kept pairs, sparse or not.
struct LocalLossStatistics {
  double loss = 0.0;
  double correlation = 0.0;    // of T with D̄_Y; 0 where one of them is constant
  double mean_distance = 0.0;  // of D̄_Y
  double max_distance = 0.0;   // max D_Y
};

struct LocalLossLayer {
  std::int64_t out = 0;
  Activation activation = Activation::kTanh;
  const float* output = nullptr;         // (N, out)
  bool prepared = false;                 // of the latest DenseForward of the same rows, `compared`
  float* delta = nullptr;                // (N, out); null: statistics only
  bool delta_through_activation = true;  // false: delta is ∂L/∂y, without activation'
  LocalLossStatistics* statistics = nullptr;
};

// The loss of each layer and its gradient; T is the same for all layers, or (error propagation)
// goes from layer to layer, starting with the T of `target`.
struct LocalLoss {
  PairwiseTarget target;
  const TargetScales* scales = nullptr;  // as target_statistics has left them for this very target
  TargetRule target_rule = TargetRule::kInput;
  ErrorRule error_rule = ErrorRule::kOnePlus;
  LossScale scale = LossScale::kOwn;
  LossNorm norm = LossNorm::kFrobenius;
  MaxGradient max_gradient = MaxGradient::kThrough;
  const LocalLossLayer* layers = nullptr;  // from the input on
  std::int64_t layer_count = 0;
  // That has followed the rows of this very loss as they came (lpdm/backend.h); null: nobody has.
  RowFollower* follower = nullptr;
};

// Mean |y| and the share of units with |y| > 0.99.
struct ActivationSummary {
  double mean_abs = 0.0;
  double saturated = 0.0;
};

struct ActivationStatistics {
  Rows rows;
  std::int64_t out = 0;
  const float* output = nullptr;  // (N, out)
  ActivationSummary* summary = nullptr;
};

// Draws min(M, N) distinct rows, uniformly without replacement, by Vitter's algorithm R (ACM TOMS
// 11, 1985): place k of the selection has row k until a later one takes it; row r >= M draws an
// integer of [0, r] and takes the place of that number, if there is one. So what is drawn from the
// first rows of a batch is known while others still come. The draw belongs to (seed,
// *iteration). Up to 2^26 rows.
struct DrawLandmarks {
  Rows rows;
  std::int64_t landmarks = 0;  // M
  std::uint64_t seed = 0;
  const std::int64_t* iteration = nullptr;
  std::int64_t* selected = nullptr;        // (M)
  std::int64_t* selected_count = nullptr;  // min(M, N)
};

// ---- optimiser ----------------------------------------------------------------------------------

struct ParameterSlice {
  float* value = nullptr;           // (size)
  const float* gradient = nullptr;  // (size)
  float* first_moment = nullptr;    // (size)
  float* second_moment = nullptr;   // (size)
  std::int64_t size = 0;
  double learning_rate = 0.0;
  double* gradient_norm = nullptr;  // of this slice, before the clip
};

// Adam (β = .9, .999, ε = 1e-8, bias-corrected) after clipping the gradient norm of all slices
// together: g ← g · min(1, clip / (‖g‖ + 1e-6)).
struct ClipAdam {
  const ParameterSlice* slices = nullptr;
  std::int64_t slice_count = 0;
  double clip = 0.0;                    // 0: off
  const double* rate_factor = nullptr;  // multiplies every learning rate; null: 1
  std::int64_t* step = nullptr;         // updates so far; advanced by one
};

// ---- policy inference ---------------------------------------------------------------------------

// One layer as inference reads it: transposed, outputs padded to kInferencePad with zeros.
inline constexpr std::int64_t kInferencePad = 16;

struct InferenceLayer {
  std::int64_t in = 0;
  std::int64_t out = 0;
  Activation activation = Activation::kTanh;
  const float* weight = nullptr;  // (out, in)
  const float* bias = nullptr;    // (out)
  float* packed = nullptr;        // (in + 1, padded out): weightᵀ, then the bias
};

// Copies every layer's weights into `packed`; to be called after each update.
struct PackInference {
  const InferenceLayer* layers = nullptr;
  std::int64_t layer_count = 0;
};

// The head's outputs for a few rows. A row's result does not depend on the rows beside it.
struct Infer {
  std::int64_t rows = 0;
  const InferenceLayer* layers = nullptr;
  std::int64_t layer_count = 0;
  const float* input = nullptr;  // (rows, in)
  float* output = nullptr;       // (rows, out of the last layer)
  // Where the outputs of each layer but the last go, (rows, out); null: they are not wanted. The
  // CPU backend only.
  float* const* hidden = nullptr;
};

}  // namespace lpdm
