#include "common/finish_sums.h"
#include "common/softmax.h"
#include "ops/policy_loss.h"

namespace lpdm::cuda {

namespace {

__global__ void categorical_kernel(CategoricalLoss op, double* partial) {
  const std::int64_t rows = *op.rows.count;
  const std::int64_t actions = op.actions_count;
  double loss = 0.0;
  for_chunk_items(op.rows.capacity, [&](std::int64_t i) {
    float* delta = op.delta + i * actions;
    if (i >= rows) {
      for (std::int64_t a = 0; a < actions; ++a) delta[a] = 0.0F;
      return;
    }
    const float* logits = op.logits + i * actions;
    const double normalizer = log_sum_exp(logits, actions);
    const auto taken = static_cast<std::int64_t>(op.actions[i]);
    const double weight = op.weights[i] / static_cast<double>(rows);
    loss -= (logits[taken] - normalizer) * weight;
    // ∂(−log π)/∂logit = π − onehot(taken)
    for (std::int64_t a = 0; a < actions; ++a) {
      const double probability = exp(logits[a] - normalizer);
      delta[a] = static_cast<float>(weight * (probability - (a == taken ? 1.0 : 0.0)));
    }
  });
  loss = block_sum(loss);
  if (threadIdx.x == 0) partial[blockIdx.x] = loss;
}

// Block (chunk, a) does dimension a. partial: (2, A, chunks), losses and ∂loss/∂(log std)
__global__ void gaussian_kernel(GaussianLoss op, double* partial) {
  constexpr double kLogSqrtTwoPi = 0.918938533204672741780329736406;
  const std::int64_t a = blockIdx.y;
  const double log_std = op.log_std != nullptr ? op.log_std[a] : log(op.std);
  const double variance = op.log_std != nullptr ? exp(2.0 * log_std) : op.std * op.std;
  const std::int64_t rows = *op.rows.count;
  double loss = 0.0;
  double std_gradient = 0.0;
  for_chunk_items(op.rows.capacity, [&](std::int64_t i) {
    const std::int64_t at = i * op.dimensions + a;
    op.delta[at] = 0.0F;
    if (i >= rows) return;
    const double weight = op.weights[i] / static_cast<double>(rows);
    const double difference = static_cast<double>(op.actions[at]) - op.mean[at];
    const double squared = difference * difference / variance;
    loss += weight * (0.5 * squared + log_std + kLogSqrtTwoPi);
    op.delta[at] = static_cast<float>(-weight * difference / variance);
    std_gradient += weight * (1.0 - squared);
  });
  loss = block_sum(loss);
  std_gradient = block_sum(std_gradient);
  if (threadIdx.x != 0) return;
  partial[a * gridDim.x + blockIdx.x] = loss;
  partial[(op.dimensions + a) * gridDim.x + blockIdx.x] = std_gradient;
}

}  // namespace

void categorical_loss(Context& context, const CategoricalLoss& op) {
  const LaunchShape shape = chunk_shape(op.rows.capacity);
  auto* partial = context.scratch<double>(shape.grid.x);
  launch(categorical_kernel, shape, context.stream, op, partial);
  finish_sums(context, partial, 1, shape.grid.x, op.loss);
}

void gaussian_loss(Context& context, const GaussianLoss& op) {
  LaunchShape shape = chunk_shape(op.rows.capacity);
  shape.grid.y = static_cast<unsigned>(op.dimensions);
  const std::int64_t chunks = shape.grid.x;
  auto* partial = context.scratch<double>(2 * op.dimensions * chunks);
  launch(gaussian_kernel, shape, context.stream, op, partial);
  finish_sums(context, partial, 1, op.dimensions * chunks, op.loss);
  if (op.log_std_gradient == nullptr) return;
  finish_sums(context, partial + op.dimensions * chunks, op.dimensions, chunks,
              op.log_std_gradient);
}

}  // namespace lpdm::cuda
