#include "common/finish_sums.h"
#include "common/softmax.h"
#include "ops/ppo_loss.h"

namespace lpdm::cuda {

namespace {

static_assert(sizeof(PpoLossStatistics) == 4 * sizeof(double));
constexpr int kStatistics = 4;

// Adds one row's surrogate to the statistics and returns ∂(row's loss)/∂(log π(a|s)).
__device__ double add_surrogate(double log_ratio, double advantage, double clip, double share,
                                PpoLossStatistics& statistics) {
  const double ratio = exp(log_ratio);
  const double clamped = fmin(fmax(ratio, 1.0 - clip), 1.0 + clip);
  statistics.surrogate -= share * fmin(ratio * advantage, clamped * advantage);
  if (clamped * advantage < ratio * advantage) {
    statistics.clip_fraction += share;
    return 0.0;
  }
  return -ratio * advantage;
}

// partial: (4, chunks), in the order of PpoLossStatistics
__device__ void store_statistics(const PpoLossStatistics& mine, double* partial) {
  const double sums[kStatistics] = {block_sum(mine.surrogate), block_sum(mine.kl),
                                    block_sum(mine.entropy), block_sum(mine.clip_fraction)};
  if (threadIdx.x != 0) return;
  for (int k = 0; k < kStatistics; ++k) partial[k * gridDim.x + blockIdx.x] = sums[k];
}

__device__ void categorical_row(const PpoCategoricalLoss& op, std::int64_t i, double share,
                                PpoLossStatistics& statistics) {
  const std::int64_t actions = op.actions_count;
  const float* logits = op.logits + i * actions;
  const float* old_logits = op.old_logits + i * actions;
  const double normalizer = log_sum_exp(logits, actions);
  const double old_normalizer = log_sum_exp(old_logits, actions);
  const auto taken = static_cast<std::int64_t>(op.actions[i]);
  const double log_ratio = (logits[taken] - normalizer) - (old_logits[taken] - old_normalizer);
  const double score =
      add_surrogate(log_ratio, op.advantages[i], op.objective.clip, share, statistics);
  double kl = 0.0;
  double entropy = 0.0;
  for (std::int64_t a = 0; a < actions; ++a) {
    const double log_p = logits[a] - normalizer;
    const double log_old = old_logits[a] - old_normalizer;
    kl += exp(log_old) * (log_old - log_p);
    entropy -= exp(log_p) * log_p;
  }
  statistics.kl += share * kl;
  statistics.entropy += share * entropy;
  for (std::int64_t a = 0; a < actions; ++a) {
    const double log_p = logits[a] - normalizer;
    const double p = exp(log_p);
    const double surrogate = score * ((a == taken ? 1.0 : 0.0) - p);
    const double divergence = op.objective.kl_weight * (p - exp(old_logits[a] - old_normalizer));
    const double bonus = op.objective.entropy_weight * p * (log_p + entropy);
    op.delta[i * actions + a] = static_cast<float>(share * (surrogate + divergence + bonus));
  }
}

__global__ void categorical_kernel(PpoCategoricalLoss op, double* partial) {
  const std::int64_t rows = *op.rows.count;
  const double share = 1.0 / static_cast<double>(rows);
  PpoLossStatistics statistics;
  for_chunk_items(op.rows.capacity, [&](std::int64_t i) {
    if (i < rows) return categorical_row(op, i, share, statistics);
    for (std::int64_t a = 0; a < op.actions_count; ++a) op.delta[i * op.actions_count + a] = 0.0F;
  });
  store_statistics(statistics, partial);
}

// The standard deviation of the new and the old policy in one dimension.
struct Spread {
  double log_std, old_log_std, variance, old_variance;
};

__device__ Spread spread_of(const PpoGaussianLoss& op, std::int64_t a) {
  const bool learned = op.log_std != nullptr;
  const double log_std = learned ? op.log_std[a] : log(op.std);
  const double old_log_std = learned ? op.old_log_std[a] : log_std;
  return {log_std, old_log_std, exp(2.0 * log_std), exp(2.0 * old_log_std)};
}

// scores[i]: ∂(row i's loss)/∂(log π(a|s)), for std_gradient_kernel
__device__ void gaussian_row(const PpoGaussianLoss& op, std::int64_t i, double share,
                             double* scores, PpoLossStatistics& statistics) {
  constexpr double kHalfLogTwoPiE = 1.418938533204672741780329736406;
  const float* mean = op.mean + i * op.dimensions;
  const float* old_mean = op.old_mean + i * op.dimensions;
  const float* action = op.actions + i * op.dimensions;
  double log_ratio = 0.0;
  for (std::int64_t a = 0; a < op.dimensions; ++a) {
    const Spread spread = spread_of(op, a);
    const double from_mean = static_cast<double>(action[a]) - mean[a];
    const double from_old = static_cast<double>(action[a]) - old_mean[a];
    const double moved = static_cast<double>(mean[a]) - old_mean[a];
    log_ratio += spread.old_log_std - spread.log_std +
                 0.5 * from_old * from_old / spread.old_variance -
                 0.5 * from_mean * from_mean / spread.variance;
    statistics.kl += share * (spread.log_std - spread.old_log_std +
                              0.5 * (spread.old_variance + moved * moved) / spread.variance - 0.5);
    statistics.entropy += share * (spread.log_std + kHalfLogTwoPiE);
  }
  const double score =
      add_surrogate(log_ratio, op.advantages[i], op.objective.clip, share, statistics);
  scores[i] = score;
  for (std::int64_t a = 0; a < op.dimensions; ++a) {
    const double variance = spread_of(op, a).variance;
    const double from_mean = static_cast<double>(action[a]) - mean[a];
    const double moved = static_cast<double>(mean[a]) - old_mean[a];
    op.delta[i * op.dimensions + a] = static_cast<float>(
        share * (score * from_mean / variance + op.objective.kl_weight * moved / variance));
  }
}

__global__ void gaussian_kernel(PpoGaussianLoss op, double* scores, double* partial) {
  const std::int64_t rows = *op.rows.count;
  const double share = 1.0 / static_cast<double>(rows);
  PpoLossStatistics statistics;
  for_chunk_items(op.rows.capacity, [&](std::int64_t i) {
    if (i < rows) return gaussian_row(op, i, share, scores, statistics);
    for (std::int64_t a = 0; a < op.dimensions; ++a) op.delta[i * op.dimensions + a] = 0.0F;
  });
  store_statistics(statistics, partial);
}

// Block (chunk, a) does dimension a. partial: (A, chunks)
__global__ void std_gradient_kernel(PpoGaussianLoss op, const double* scores, double* partial) {
  const std::int64_t a = blockIdx.y;
  const Spread spread = spread_of(op, a);
  const std::int64_t rows = *op.rows.count;
  const double share = 1.0 / static_cast<double>(rows);
  double sum = 0.0;
  for_chunk_items(rows, [&](std::int64_t i) {
    const std::int64_t at = i * op.dimensions + a;
    const double from_mean = static_cast<double>(op.actions[at]) - op.mean[at];
    const double moved = static_cast<double>(op.mean[at]) - op.old_mean[at];
    const double divergence = 1.0 - (spread.old_variance + moved * moved) / spread.variance;
    sum += share * (scores[i] * (from_mean * from_mean / spread.variance - 1.0) +
                    op.objective.kl_weight * divergence - op.objective.entropy_weight);
  });
  sum = block_sum(sum);
  if (threadIdx.x == 0) partial[a * gridDim.x + blockIdx.x] = sum;
}

}  // namespace

void ppo_categorical_loss(Context& context, const PpoCategoricalLoss& op) {
  const LaunchShape shape = chunk_shape(op.rows.capacity);
  auto* partial = context.scratch<double>(kStatistics * std::int64_t{shape.grid.x});
  launch(categorical_kernel, shape, context.stream, op, partial);
  finish_sums(context, partial, kStatistics, shape.grid.x, &op.statistics->surrogate);
}

void ppo_gaussian_loss(Context& context, const PpoGaussianLoss& op) {
  LaunchShape shape = chunk_shape(op.rows.capacity);
  const std::int64_t chunks = shape.grid.x;
  auto* scores = context.scratch<double>(op.rows.capacity);
  auto* partial = context.scratch<double>(kStatistics * chunks);
  launch(gaussian_kernel, shape, context.stream, op, scores, partial);
  finish_sums(context, partial, kStatistics, chunks, &op.statistics->surrogate);
  if (op.log_std_gradient == nullptr) return;
  auto* gradients = context.scratch<double>(op.dimensions * chunks);
  shape.grid.y = static_cast<unsigned>(op.dimensions);
  launch(std_gradient_kernel, shape, context.stream, op, scores, gradients);
  finish_sums(context, gradients, op.dimensions, chunks, op.log_std_gradient);
}

}  // namespace lpdm::cuda
