#include "cpu/ops/pack_inference.h"

#include <algorithm>

namespace lpdm::cpu {

namespace {

constexpr std::int64_t kTile = 4;  // values a side, which compilers transpose in registers

// to[k][o] = from[o][k] for a tile; rows lie from_stride and to_stride apart.
void transpose_tile(const float* from, std::int64_t from_stride, float* to,
                    std::int64_t to_stride) {
  float tile[kTile][kTile];
  for (std::int64_t o = 0; o < kTile; ++o) {
    for (std::int64_t k = 0; k < kTile; ++k) tile[k][o] = from[o * from_stride + k];
  }
  for (std::int64_t k = 0; k < kTile; ++k) std::copy_n(tile[k], kTile, to + k * to_stride);
}

// The same at the matrix's edge: `outputs` × `inputs` values are there, other outputs are zero.
void transpose_edge(const float* from, std::int64_t from_stride, std::int64_t outputs,
                    std::int64_t inputs, float* to, std::int64_t to_stride) {
  for (std::int64_t k = 0; k < inputs; ++k) {
    for (std::int64_t o = 0; o < kTile; ++o) {
      to[k * to_stride + o] = o < outputs ? from[o * from_stride + k] : 0.0F;
    }
  }
}

// Columns [first, first + kInferencePad) of the packed weights: a cache line of each row at a time.
void pack_columns(const InferenceLayer& layer, std::int64_t first, std::int64_t padded) {
  for (std::int64_t k = 0; k < layer.in; k += kTile) {
    for (std::int64_t o = first; o < first + kInferencePad; o += kTile) {
      const float* weight = layer.weight + o * layer.in + k;
      float* packed = layer.packed + k * padded + o;
      if (k + kTile <= layer.in && o + kTile <= layer.out) {
        transpose_tile(weight, layer.in, packed, padded);
      } else {
        transpose_edge(weight, layer.in, layer.out - o, std::min(kTile, layer.in - k), packed,
                       padded);
      }
    }
  }
}

}  // namespace

void pack_inference(const PackInference& op) {
  for (std::int64_t l = 0; l < op.layer_count; ++l) {
    const InferenceLayer& layer = op.layers[l];
    const std::int64_t padded = padded_width(layer.out);
    for (std::int64_t o = 0; o < layer.out; o += kInferencePad) pack_columns(layer, o, padded);
    float* bias = layer.packed + layer.in * padded;
    std::fill(std::copy_n(layer.bias, layer.out, bias), bias + padded, 0.0F);
  }
}

}  // namespace lpdm::cpu
