#include "common/launch.h"
#include "common/rows.h"
#include "pairs/finish_gradient.h"
#include "pairs/listed_maxima.cuh"

namespace lpdm::cuda {

namespace {

// Σ_j coefficient · direction of one row and dimension.
__device__ float gradient_entry(const GradientParts& parts, Metric metric, std::int64_t width,
                                std::int64_t row, std::int64_t d) {
  float sum = 0.0F, coefficients = 0.0F;
  for (int split = 0; split < parts.splits; ++split) {
    const std::int64_t at = split * parts.stride + row;
    sum += parts.sums[at * width + d];
    coefficients += parts.coefficient_sums[at];
  }
  return metric == Metric::kL1 ? 2.0F * sum - coefficients : sum;
}

__global__ void finish_gradient_kernel(PairDomain domain, LocalLossLayer layer, Metric metric,
                                       std::int64_t width, const LayerState* state,
                                       GradientParts parts, GradientParts landmark_parts) {
  const std::int64_t count = *domain.rows.count;
  for_chunk_items(domain.rows.capacity * layer.out, [&](std::int64_t k) {
    const std::int64_t row = k / layer.out;
    const std::int64_t d = k % layer.out;
    if (row >= count) {
      layer.delta[k] = 0.0F;
      return;
    }
    const std::int32_t landmark = landmark_parts.sums != nullptr ? domain.landmark[row] : -1;
    const float sum = landmark >= 0 ? gradient_entry(landmark_parts, metric, width, landmark, d)
                                    : gradient_entry(parts, metric, width, row, d);
    const float gradient = static_cast<float>(state->factor) * sum +
                           listed_maxima(*state, metric, layer.output, layer.out, row, d);
    layer.delta[k] = gradient * delta_slope(layer, layer.output[k]);
  });
}

}  // namespace

void finish_gradient(Context& context, const PairDomain& domain, const LocalLossLayer& layer,
                     Metric metric, std::int64_t width, const LayerState* state,
                     const GradientParts& parts, const GradientParts& landmark_parts) {
  launch(finish_gradient_kernel, chunk_shape(domain.rows.capacity * layer.out), context.stream,
         domain, layer, metric, width, state, parts, landmark_parts);
}

}  // namespace lpdm::cuda
