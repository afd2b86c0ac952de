#include "cpu/common/activation.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/common/activation.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// Per target, hence after foreach_target.
#include <hwy/contrib/math/math-inl.h>

HWY_BEFORE_NAMESPACE();
namespace lpdm::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Lanes = hn::ScalableTag<float>;
using Vector = hn::Vec<Lanes>;

// values[i] ← function(values[i], partner[i]), whole vectors and then the rest one by one.
template <class Function>
HWY_INLINE void transform(float* values, const float* partner, std::int64_t size,
                          const Function& function) {
  const Lanes lanes;
  const auto width = static_cast<std::int64_t>(hn::Lanes(lanes));
  std::int64_t i = 0;
  for (; i + width <= size; i += width) {
    hn::StoreU(function(hn::LoadU(lanes, values + i), hn::LoadU(lanes, partner + i)), lanes,
               values + i);
  }
  for (; i < size; ++i) {
    const Vector one_lane = function(hn::Set(lanes, values[i]), hn::Set(lanes, partner[i]));
    values[i] = hn::GetLane(one_lane);
  }
}

void apply_activation(Activation activation, float* values, std::int64_t size) {
  const Lanes lanes;
  if (activation == Activation::kTanh) {
    transform(values, values, size, [lanes](Vector x, Vector) { return hn::Tanh(lanes, x); });
  } else if (activation == Activation::kRelu) {
    transform(values, values, size,
              [lanes](Vector x, Vector) { return hn::Max(x, hn::Zero(lanes)); });
  }
}

// A row at a time: the sum, in place of a pass of its own, costs nothing beside the function.
template <class Function>
HWY_INLINE void transform_rows(const float* bias, std::int64_t rows, std::int64_t out,
                               float* values, const Function& function) {
  for (std::int64_t r = 0; r < rows; ++r) {
    transform(values + r * out, bias, out,
              [&](Vector x, Vector b) { return function(hn::Add(x, b)); });
  }
}

void apply_bias_and_activation(Activation activation, const float* bias, std::int64_t rows,
                               std::int64_t out, float* values) {
  const Lanes lanes;
  switch (activation) {
    case Activation::kTanh:
      return transform_rows(bias, rows, out, values,
                            [lanes](Vector x) { return hn::Tanh(lanes, x); });
    case Activation::kRelu:
      return transform_rows(bias, rows, out, values,
                            [lanes](Vector x) { return hn::Max(x, hn::Zero(lanes)); });
    case Activation::kIdentity:
      return transform_rows(bias, rows, out, values, [](Vector x) { return x; });
  }
}

// sums[o] += Σ_r values[r][o]; rows lie `stride` apart
void add_column_sums(const float* values, std::int64_t rows, std::int64_t stride,
                     std::int64_t columns, float* sums) {
  for (std::int64_t r = 0; r < rows; ++r) {
    transform(sums, values + r * stride, columns,
              [](Vector sum, Vector value) { return hn::Add(sum, value); });
  }
}

void scale_by_activation_gradient(Activation activation, float factor, const float* output,
                                  std::int64_t size, float* delta) {
  const Lanes lanes;
  const Vector scale = hn::Set(lanes, factor);
  switch (activation) {
    case Activation::kTanh:
      transform(delta, output, size, [lanes, scale](Vector g, Vector y) {
        return hn::Mul(hn::Mul(g, scale), hn::NegMulAdd(y, y, hn::Set(lanes, 1.0F)));
      });
      break;
    case Activation::kRelu:
      transform(delta, output, size, [lanes, scale](Vector g, Vector y) {
        return hn::IfThenElseZero(hn::Gt(y, hn::Zero(lanes)), hn::Mul(g, scale));
      });
      break;
    case Activation::kIdentity:
      transform(delta, output, size, [scale](Vector g, Vector) { return hn::Mul(g, scale); });
      break;
  }
}

}  // namespace lpdm::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lpdm::cpu {

HWY_EXPORT(add_column_sums);
HWY_EXPORT(apply_activation);
HWY_EXPORT(apply_bias_and_activation);
HWY_EXPORT(scale_by_activation_gradient);

void apply_activation(Activation activation, float* values, std::int64_t size) {
  HWY_DYNAMIC_DISPATCH(apply_activation)(activation, values, size);
}

void apply_bias_and_activation(Activation activation, const float* bias, std::int64_t rows,
                               std::int64_t out, float* values) {
  HWY_DYNAMIC_DISPATCH(apply_bias_and_activation)(activation, bias, rows, out, values);
}

void add_column_sums(const float* values, std::int64_t rows, std::int64_t stride,
                     std::int64_t columns, float* sums) {
  HWY_DYNAMIC_DISPATCH(add_column_sums)(values, rows, stride, columns, sums);
}

void scale_by_activation_gradient(Activation activation, float factor, const float* output,
                                  std::int64_t size, float* delta) {
  HWY_DYNAMIC_DISPATCH(scale_by_activation_gradient)(activation, factor, output, size, delta);
}

void scale_by_activation_gradient(Context& context, Activation activation, float factor,
                                  const float* output, std::int64_t size, float* delta) {
  constexpr std::int64_t kPerTask = 1 << 14;
  context.pool.parallel_for(ceil_div(size, kPerTask), [&](std::int64_t task, int) {
    const std::int64_t first = task * kPerTask;
    const std::int64_t count = std::min(kPerTask, size - first);
    scale_by_activation_gradient(activation, factor, output + first, count, delta + first);
  });
}

}  // namespace lpdm::cpu
#endif  // HWY_ONCE
