#include "cpu/landmarks/landmark_end.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/landmarks/landmark_end.cc"
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
void add_end_of(const LandmarkEnd& op) {
  const Lanes lanes;
  const auto width = static_cast<std::int64_t>(hn::Lanes(lanes));
  const Vector scale = hn::Set(lanes, op.scale);
  for (std::int64_t m = 0; m < op.landmarks; ++m) {
    const Vector offset = hn::Set(lanes, op.offsets[m]);
    const float* values = op.values + op.index[m] * op.pitch;
    float* delta = op.delta + op.index[m] * op.pitch;
    for (std::int64_t d = 0; d < op.dims; d += width) {
      const float* credit = op.credit + m * kPairWidth + d;
      Vector sum = hn::Load(lanes, credit);
      for (std::int64_t chunk = 1; chunk < op.chunks; ++chunk) {
        sum = hn::Add(sum, hn::Load(lanes, credit + chunk * op.chunk_pitch));
      }
      const Vector gradient = hn::MulAdd(scale, sum, offset);
      const Vector y = load_available(lanes, values + d, op.dims - d);
      const Vector own_end = load_available(lanes, delta + d, op.dims - d);
      store_available(lanes, hn::MulAdd(gradient, slope<kActivation>(y), own_end), delta + d,
                      op.dims - d);
    }
  }
}

void add_landmark_end(const LandmarkEnd& op) {
  switch (op.activation) {
    case Activation::kTanh:
      return add_end_of<Activation::kTanh>(op);
    case Activation::kRelu:
      return add_end_of<Activation::kRelu>(op);
    case Activation::kIdentity:
      return add_end_of<Activation::kIdentity>(op);
  }
}

}  // namespace lpdm::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lpdm::cpu {

HWY_EXPORT(add_landmark_end);

void add_landmark_end(const LandmarkEnd& op) { HWY_DYNAMIC_DISPATCH(add_landmark_end)(op); }

}  // namespace lpdm::cpu
#endif  // HWY_ONCE
