#include <algorithm>
#include <string>

#include "common/activation.h"
#include "common/rows.h"
#include "lpdm/error.h"
#include "ops/infer.h"

namespace lpdm::cuda {

namespace {

constexpr int kMostLayers = 65;  // 64 hidden layers and the policy head
constexpr int kRowsPerBlock = 4;

__host__ __device__ std::int64_t padded_width(std::int64_t out) {
  return ceil_div(out, kInferencePad) * kInferencePad;
}

// The layers as a kernel's argument.
struct Layers {
  InferenceLayer layer[kMostLayers];
  int count = 0;
};

__global__ void pack_kernel(InferenceLayer layer) {
  const std::int64_t padded = padded_width(layer.out);
  for_chunk_items((layer.in + 1) * padded, [&](std::int64_t i) {
    const std::int64_t k = i / padded;
    const std::int64_t o = i % padded;
    float value = 0.0F;
    if (o < layer.out) value = k < layer.in ? layer.weight[o * layer.in + k] : layer.bias[o];
    layer.packed[i] = value;
  });
}

// output (kRowsPerBlock, padded) of one layer. Every output is one chain of multiply-adds over the
// inputs in order: a row's result does not depend on the rows beside it.
__device__ void run_layer(const InferenceLayer& layer, const float* input, std::int64_t stride,
                          int rows, float* output) {
  const std::int64_t padded = padded_width(layer.out);
  for (std::int64_t o = threadIdx.x; o < padded; o += kBlockThreads) {
    float sums[kRowsPerBlock];
    for (float& sum : sums) sum = layer.packed[layer.in * padded + o];
    for (std::int64_t k = 0; k < layer.in; ++k) {
      const float weight = layer.packed[k * padded + o];
      for (int r = 0; r < kRowsPerBlock; ++r) {
        if (r < rows) sums[r] = fmaf(input[r * stride + k], weight, sums[r]);
      }
    }
    for (int r = 0; r < rows; ++r) output[r * padded + o] = activate(layer.activation, sums[r]);
  }
}

// scratch: (blocks, 2, kRowsPerBlock, widest padded layer)
__global__ void infer_kernel(Infer op, Layers layers, std::int64_t widest, float* scratch) {
  const std::int64_t first = static_cast<std::int64_t>(blockIdx.x) * kRowsPerBlock;
  const auto rows =
      static_cast<int>(op.rows - first < kRowsPerBlock ? op.rows - first : kRowsPerBlock);
  float* buffer = scratch + blockIdx.x * 2 * kRowsPerBlock * widest;
  const float* from = op.input + first * layers.layer[0].in;
  std::int64_t stride = layers.layer[0].in;
  for (int l = 0; l < layers.count; ++l) {
    float* to = buffer + (l % 2) * kRowsPerBlock * widest;
    run_layer(layers.layer[l], from, stride, rows, to);
    __syncthreads();
    from = to;
    stride = padded_width(layers.layer[l].out);
  }
  const std::int64_t out = layers.layer[layers.count - 1].out;
  for (std::int64_t k = threadIdx.x; k < rows * out; k += kBlockThreads) {
    op.output[first * out + k] = from[k / out * stride + k % out];
  }
}

}  // namespace

void pack_inference(Context& context, const PackInference& op) {
  for (std::int64_t l = 0; l < op.layer_count; ++l) {
    const InferenceLayer& layer = op.layers[l];
    launch(pack_kernel, chunk_shape((layer.in + 1) * padded_width(layer.out)), context.stream,
           layer);
  }
}

void infer(Context& context, const Infer& op) {
  if (op.hidden != nullptr) {
    throw Error("inference on the CUDA backend gives the last layer's outputs only");
  }
  if (op.layer_count > kMostLayers) {
    throw Error("a policy of " + std::to_string(op.layer_count) +
                " layers was given to inference, which takes " + std::to_string(kMostLayers));
  }
  Layers layers;
  layers.count = static_cast<int>(op.layer_count);
  std::copy_n(op.layers, op.layer_count, layers.layer);
  std::int64_t widest = 0;
  for (std::int64_t l = 0; l < op.layer_count; ++l) {
    widest = std::max(widest, padded_width(op.layers[l].out));
  }
  const std::int64_t blocks = ceil_div(op.rows, kRowsPerBlock);
  auto* scratch = context.scratch<float>(blocks * 2 * kRowsPerBlock * widest);
  launch(infer_kernel, {.grid = dim3(static_cast<unsigned>(blocks)), .block = dim3(kBlockThreads)},
         context.stream, op, layers, widest, scratch);
}

}  // namespace lpdm::cuda
