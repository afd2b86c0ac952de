#include "cpu/ops/infer.h"

#include <algorithm>

#include "cpu/common/activation.h"
#include "cpu/ops/pack_inference.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/ops/infer.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace lpdm::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Lanes = hn::CappedTag<float, kInferencePad>;
using Vector = hn::Vec<Lanes>;

// kRows rows × kVectors vectors of outputs. Every output is one chain of multiply-adds over the
// inputs in order, whatever the block: a row's result does not depend on its neighbours.
template <int kRows, int kVectors>
HWY_INLINE void infer_block(const float* HWY_RESTRICT input, std::int64_t input_stride,
                            std::int64_t in, const float* HWY_RESTRICT packed, std::int64_t padded,
                            float* HWY_RESTRICT output) {
  const Lanes lanes;
  const auto width = static_cast<std::int64_t>(hn::Lanes(lanes));
  Vector sum[kRows][kVectors];
  for (int v = 0; v < kVectors; ++v) {
    const Vector bias = hn::Load(lanes, packed + in * padded + v * width);
    for (int r = 0; r < kRows; ++r) sum[r][v] = bias;
  }
  for (std::int64_t k = 0; k < in; ++k) {
    Vector weight[kVectors];
    for (int v = 0; v < kVectors; ++v) weight[v] = hn::Load(lanes, packed + k * padded + v * width);
    for (int r = 0; r < kRows; ++r) {
      const Vector x = hn::Set(lanes, input[r * input_stride + k]);
      for (int v = 0; v < kVectors; ++v) sum[r][v] = hn::MulAdd(x, weight[v], sum[r][v]);
    }
  }
  for (int r = 0; r < kRows; ++r) {
    for (int v = 0; v < kVectors; ++v) {
      hn::StoreU(sum[r][v], lanes, output + r * padded + v * width);
    }
  }
}

template <int kRows, int kVectors>
void infer_rows(const float* input, std::int64_t input_stride, std::int64_t in, const float* packed,
                std::int64_t padded, float* output) {
  const auto width = static_cast<std::int64_t>(hn::Lanes(Lanes()));
  std::int64_t column = 0;
  for (; column + kVectors * width <= padded; column += kVectors * width) {
    infer_block<kRows, kVectors>(input, input_stride, in, packed + column, padded, output + column);
  }
  for (; column < padded; column += width) {
    infer_block<kRows, 1>(input, input_stride, in, packed + column, padded, output + column);
  }
}

// One layer before its activation: output (rows, padded).
void infer_layer(std::int64_t rows, const float* input, std::int64_t input_stride,
                 const InferenceLayer& layer, std::int64_t padded, float* output) {
  constexpr int kRows = 4;
  std::int64_t r = 0;
  for (; r + kRows <= rows; r += kRows) {
    infer_rows<kRows, 2>(input + r * input_stride, input_stride, layer.in, layer.packed, padded,
                         output + r * padded);
  }
  for (; r < rows; ++r) {
    infer_rows<1, 8>(input + r * input_stride, input_stride, layer.in, layer.packed, padded,
                     output + r * padded);
  }
}

}  // namespace lpdm::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lpdm::cpu {

HWY_EXPORT(infer_layer);

namespace {

// Without the padding: values (rows, out of stride), output (rows, out).
void copy_rows(const float* values, std::int64_t stride, std::int64_t rows, std::int64_t out,
               float* output) {
  for (std::int64_t r = 0; r < rows; ++r) std::copy_n(values + r * stride, out, output + r * out);
}

// Where the caller wants a layer's outputs from row `first` on, (rows, out); null: nowhere.
float* wanted_output(const Infer& op, std::int64_t layer, std::int64_t first) {
  const std::int64_t skipped = first * op.layers[layer].out;
  if (layer + 1 == op.layer_count) return op.output + skipped;
  return op.hidden != nullptr ? op.hidden[layer] + skipped : nullptr;
}

// All layers for rows [first, first + rows). scratch: (2, rows, widest padded layer)
void infer_network(std::int64_t first, std::int64_t rows, const Infer& op, float* scratch,
                   std::int64_t widest) {
  float* buffers[2] = {scratch, scratch + rows * widest};
  std::int64_t stride = op.layers[0].in;
  const float* from = op.input + first * stride;
  for (std::int64_t l = 0; l < op.layer_count; ++l) {
    const InferenceLayer& layer = op.layers[l];
    const std::int64_t padded = padded_width(layer.out);
    float* wanted = wanted_output(op, l, first);
    const bool in_place = wanted != nullptr && padded == layer.out;
    float* to = in_place ? wanted : buffers[l % 2];
    HWY_DYNAMIC_DISPATCH(infer_layer)(rows, from, stride, layer, padded, to);
    apply_activation(layer.activation, to, rows * padded);
    if (wanted != nullptr && !in_place) copy_rows(to, padded, rows, layer.out, wanted);
    from = to;
    stride = padded;
  }
}

}  // namespace

void infer(Context& context, Scratch<float>& scratch, const Infer& op) {
  constexpr std::int64_t kRowsPerTask = 16;
  std::int64_t widest = 0;
  for (std::int64_t l = 0; l < op.layer_count; ++l) {
    widest = std::max(widest, padded_width(op.layers[l].out));
  }
  float* buffers = scratch.get(2 * op.rows * widest);
  const auto run = [&](std::int64_t task, int) {
    const std::int64_t first = task * kRowsPerTask;
    const std::int64_t count = std::min(kRowsPerTask, op.rows - first);
    infer_network(first, count, op, buffers + 2 * first * widest, widest);
  };
  if (op.rows <= kRowsPerTask) {
    run(0, 0);  // too little to wake anyone
  } else {
    context.pool.parallel_for(ceil_div(op.rows, kRowsPerTask), run);
  }
}

}  // namespace lpdm::cpu
#endif  // HWY_ONCE
