#include "common/activation.h"
#include "common/checks.h"
#include "common/fork.h"
#include "common/launch.h"
#include "common/rows.h"
#include "lowrank/furthest_pairs.h"
#include "lowrank/lowrank_loss.h"
#include "lowrank/product.h"
#include "lpdm/error.h"
#include "pairs/finish_layer.cuh"
#include "pairs/largest_use.cuh"
#include "pairs/layer_weights.h"
#include "pairs/listed_maxima.cuh"
#include "pairs/pack_rows.h"

namespace lpdm::cuda {

namespace {

void require_plain_pairs(const PairwiseTarget& target) {
  if (target.metric != Metric::kL1 || target.landmarks != nullptr ||
      target.sparse != SparsePairs::kNone || target.episode_ends != nullptr) {
    throw UsageError(
        "low-rank pairs were asked for with metric l2, landmarks, sparse pairs or episode blocks; "
        "set hidden.pairs to all or leave those at their defaults");
  }
}

// By one block: the largest distance met.
__device__ float largest_found(const FoundPairs& pairs) {
  float largest = 0.0F;
  for (int sweep = 0; sweep < kSweeps; ++sweep) {
    for (std::int64_t k = threadIdx.x; k < pairs.counts[sweep]; k += kBlockThreads) {
      largest = fmaxf(largest, found_distance(pairs.found[sweep * kMostStarts + k]));
    }
  }
  return block_reduce(largest, [](float a, float b) { return fmaxf(a, b); });
}

__global__ void use_largest_kernel(FoundPairs pairs, PairSide batch, LargestResult result) {
  const float largest = largest_found(pairs);
  float diagonal = 0.0F;
  if (result.use == LargestUse::kTargetScale) {
    for (std::int64_t k = threadIdx.x; k < *batch.count; k += kBlockThreads) {
      diagonal = fmaxf(diagonal, 2.0F * batch.shift[k]);
    }
    diagonal = block_reduce(diagonal, [](float a, float b) { return fmaxf(a, b); });
  }
  if (threadIdx.x == 0) use_largest(result, fmaxf(largest, diagonal));
}

// By one block: the maximum, and the pairs near it in the order in which they were met.
__global__ void note_maxima_kernel(FoundPairs pairs, LayerState* state) {
  const float largest = largest_found(pairs);
  unsigned total = 0;
  for (int sweep = 0; sweep < kSweeps && largest > 0.0F; ++sweep) {
    for (std::int64_t first = 0; first < pairs.counts[sweep]; first += kBlockThreads) {
      const std::int64_t k = first + threadIdx.x;
      const std::int64_t at = sweep * kMostStarts + k;
      const bool near = k < pairs.counts[sweep] &&
                        found_distance(pairs.found[at]) >= Fp32L1::kNearMaximum * largest;
      const unsigned mine = near ? 1U : 0U;
      const unsigned slot = total + block_scan_before(mine, 0U, Plus{});
      if (near && slot < kMostListed) {
        state->near[slot] = pair_key(pairs.queries[at], found_row(pairs.found[at]));
      }
      total += block_reduce(mine, Plus{});
    }
  }
  if (threadIdx.x != 0) return;
  state->maximum_bits = __float_as_uint(largest);
  state->near_count = min(total, static_cast<unsigned>(kMostListed));
}

__global__ void finish_layer_kernel(LayerOptions options, const float* output, std::int64_t out,
                                    LayerState* state, LocalLossStatistics* statistics) {
  finish_layer(options, output, out, *state, statistics);
}

// credit: (block_rows, features), Σ_j E_ij F_j of rows first_row ..
__global__ void delta_kernel(FeatureMatrix matrix, LocalLossLayer layer, const LayerState* state,
                             const float* block, const float* credit, std::int64_t first_row,
                             std::int64_t rows) {
  const std::int64_t dim = layer.out;
  for_chunk_items(rows * dim, [&](std::int64_t k) {
    const std::int64_t row = first_row + k / dim, d = k % dim;
    if (row >= *matrix.rows.count) {
      layer.delta[row * dim + d] = 0.0F;
      return;
    }
    const float* f = block + k / dim * matrix.columns() + matrix.outputs_begin() + d;
    const float* q = credit + k / dim * matrix.output.count() + d;
    float sum = 0.0F;
    for (std::int64_t term = 0; term < matrix.output.terms; ++term) {
      const std::int64_t cosine = 2 * term * dim, sine = cosine + dim;
      sum += static_cast<float>(2 * term + 1) * (f[cosine] * q[sine] - f[sine] * q[cosine]);
    }
    const float gradient =
        -static_cast<float>(state->factor) * matrix.output.columns[d].frequency * sum +
        listed_maxima(*state, Metric::kL1, layer.output, dim, row, d);
    layer.delta[row * dim + d] = gradient * delta_slope(layer, layer.output[row * dim + d]);
  });
}

void write_gradient(Context& context, const FeatureMatrix& matrix, const LocalLossLayer& layer,
                    const float* credit_matrix, const LayerState* state, float* block) {
  const auto width = static_cast<int>(matrix.output.count());
  const auto columns = static_cast<int>(matrix.columns());
  auto* credit = context.scratch<float>(matrix.block_rows() * width);
  constexpr float kOne = 1.0F, kZero = 0.0F;
  for (std::int64_t row = 0; row < matrix.rows.capacity; row += matrix.block_rows()) {
    const std::int64_t rows = std::min(matrix.block_rows(), matrix.rows.capacity - row);
    write_block(context, matrix, row, block);
    check(cublasSgemm(context.blas(), CUBLAS_OP_N, CUBLAS_OP_N, width, static_cast<int>(rows),
                      columns, &kOne, credit_matrix, width, block, columns, &kZero, credit, width),
          "a product of features");
    launch(delta_kernel, chunk_shape(rows * layer.out), context.stream, matrix, layer, state, block,
           credit, row, rows);
  }
}

void run_layer(Context& context, const LocalLoss& op, const Features& input,
               const LocalLossLayer& layer) {
  const PairSide batch{.count = op.target.rows.count, .capacity = op.target.rows.capacity};
  const LayerOptions options = layer_options(op, layer, op.target.dim);
  auto* state = context.scratch<LayerState>(1);
  check(cudaMemsetAsync(state, 0, sizeof(LayerState), context.stream), "clearing memory");
  const PackedRows packed =
      pack_rows(context, batch, layer.output, layer.out, Metric::kL1, Arithmetic::kFp32);
  launch(note_maxima_kernel, {.grid = dim3(1), .block = dim3(kBlockThreads)}, context.stream,
         find_furthest_pairs(context, batch, packed, nullptr), state);
  const FeatureMatrix matrix{
      op.target.rows, op.target.shift, input,
      fit_features(context, op.target.rows, layer.output, layer.out, op.target.low_rank)};
  auto* block = context.scratch<float>(matrix.block_rows() * matrix.columns());
  const double* product = form_product(context, matrix, block);
  sum_series(context, matrix, product, op.scales, options, state);
  launch(finish_layer_kernel, {.grid = dim3(1), .block = dim3(kTileThreads)}, context.stream,
         options, layer.output, layer.out, state, layer.statistics);
  if (!options.gradient) return;
  write_gradient(context, matrix, layer,
                 form_credit_matrix(context, matrix, product, op.scales, options, state), state,
                 block);
}

}  // namespace

void low_rank_statistics(Context& context, const TargetStatistics& op) {
  const PairwiseTarget& target = op.target;
  require_plain_pairs(target);
  const PairSide batch{
      .count = target.rows.count, .capacity = target.rows.capacity, .shift = target.shift};
  const PackedRows packed =
      pack_rows(context, batch, target.input, target.dim, Metric::kL1, Arithmetic::kFp32);
  find_scales_by(context, target, op.scales, [&](TargetStep step, const LargestResult& result) {
    const TargetScales* scales = step == TargetStep::kShifted ? op.scales : nullptr;
    launch(use_largest_kernel, {.grid = dim3(1), .block = dim3(kBlockThreads)}, context.stream,
           find_furthest_pairs(context, batch, packed, scales), batch, result);
  });
}

void low_rank_loss(Context& context, const LocalLoss& op) {
  require_plain_pairs(op.target);
  if (op.target_rule != TargetRule::kInput) {
    throw UsageError(
        "low-rank pairs were asked for with error propagation; set hidden.pairs to all or "
        "hidden.target to input");
  }
  const Features input =
      fit_features(context, op.target.rows, op.target.input, op.target.dim, op.target.low_rank);
  fork_join(context, static_cast<std::size_t>(op.layer_count),
            [&](std::size_t l, Context& side) { run_layer(side, op, input, op.layers[l]); });
}

}  // namespace lpdm::cuda
