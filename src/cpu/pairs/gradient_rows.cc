#include "cpu/pairs/gradient_rows.h"

#include <algorithm>

#include "cpu/pairs/pairwise_tile.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/pairs/gradient_rows.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// Per target, hence after foreach_target.
#include "cpu/common/activation_slope-inl.h"
#include "cpu/common/tail_vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace lpdm::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Lanes = hn::CappedTag<float, kPanelWidth>;
using Vector = hn::Vec<Lanes>;

template <Activation kActivation>
void write_rows_of(const GradientRows& op) {
  const Lanes lanes;
  const auto width = static_cast<std::int64_t>(hn::Lanes(lanes));
  const Vector scale = hn::Set(lanes, op.factor * op.scale);
  for (std::int64_t r = 0; r < op.rows; ++r) {
    const Vector offset = hn::Set(lanes, op.factor * op.offsets[r]);
    const float* output = op.output + op.row_index[r] * op.dim;
    float* delta = op.delta + op.row_index[r] * op.dim;
    for (std::int64_t d = op.first; d < op.end; d += kPanelWidth) {
      const float* panel = op.panels + (d - op.first) * kTile + r * kPanelWidth;
      const std::int64_t end = std::min(kPanelWidth, op.end - d);
      for (std::int64_t k = 0; k < end; k += width) {
        const Vector gradient = hn::MulAdd(hn::Load(lanes, panel + k), scale, offset);
        const Vector y = load_available(lanes, output + d + k, end - k);
        store_available(lanes, hn::Mul(gradient, slope<kActivation>(y)), delta + d + k, end - k);
      }
    }
  }
}

void write_gradient_rows(const GradientRows& op) {
  switch (op.activation) {
    case Activation::kTanh:
      return write_rows_of<Activation::kTanh>(op);
    case Activation::kRelu:
      return write_rows_of<Activation::kRelu>(op);
    case Activation::kIdentity:
      return write_rows_of<Activation::kIdentity>(op);
  }
}

}  // namespace lpdm::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lpdm::cpu {

HWY_EXPORT(write_gradient_rows);

void write_gradient_rows(const GradientRows& op) { HWY_DYNAMIC_DISPATCH(write_gradient_rows)(op); }

}  // namespace lpdm::cpu
#endif  // HWY_ONCE
