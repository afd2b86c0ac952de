#include "cpu/ops/clip_adam.h"

#include <algorithm>
#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/ops/clip_adam.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace lpdm::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

void adam_step(const ParameterSlice& slice, const AdamFactors& factors) {
  const hn::ScalableTag<float> lanes;
  using Vector = hn::Vec<decltype(lanes)>;
  const auto width = static_cast<std::int64_t>(hn::Lanes(lanes));
  const Vector gradient_scale = hn::Set(lanes, factors.gradient_scale);
  const Vector first_decay = hn::Set(lanes, factors.first_decay);
  const Vector first_rest = hn::Set(lanes, factors.first_rest);
  const Vector second_decay = hn::Set(lanes, factors.second_decay);
  const Vector second_rest = hn::Set(lanes, factors.second_rest);
  const Vector step_size = hn::Set(lanes, factors.step_size);
  const Vector second_correction = hn::Set(lanes, factors.second_correction);
  const Vector epsilon = hn::Set(lanes, factors.epsilon);
  const auto advance = [&](Vector g, Vector& m, Vector& v, Vector& value) {
    g = hn::Mul(g, gradient_scale);
    m = hn::MulAdd(first_decay, m, hn::Mul(first_rest, g));
    v = hn::MulAdd(second_decay, v, hn::Mul(second_rest, hn::Mul(g, g)));
    const Vector denominator = hn::MulAdd(hn::Sqrt(v), second_correction, epsilon);
    value = hn::Sub(value, hn::Div(hn::Mul(step_size, m), denominator));
  };
  std::int64_t i = 0;
  for (; i + width <= slice.size; i += width) {
    Vector m = hn::LoadU(lanes, slice.first_moment + i);
    Vector v = hn::LoadU(lanes, slice.second_moment + i);
    Vector value = hn::LoadU(lanes, slice.value + i);
    advance(hn::LoadU(lanes, slice.gradient + i), m, v, value);
    hn::StoreU(m, lanes, slice.first_moment + i);
    hn::StoreU(v, lanes, slice.second_moment + i);
    hn::StoreU(value, lanes, slice.value + i);
  }
  for (; i < slice.size; ++i) {
    Vector m = hn::Set(lanes, slice.first_moment[i]);
    Vector v = hn::Set(lanes, slice.second_moment[i]);
    Vector value = hn::Set(lanes, slice.value[i]);
    advance(hn::Set(lanes, slice.gradient[i]), m, v, value);
    slice.first_moment[i] = hn::GetLane(m);
    slice.second_moment[i] = hn::GetLane(v);
    slice.value[i] = hn::GetLane(value);
  }
}

// Σ g² with float sums of short runs and float64 totals.
double squared_norm(const float* gradient, std::int64_t size) {
  constexpr std::int64_t kRun = 1024;
  const hn::ScalableTag<float> lanes;
  const auto width = static_cast<std::int64_t>(hn::Lanes(lanes));
  double total = 0.0;
  for (std::int64_t first = 0; first < size; first += kRun) {
    const std::int64_t end = std::min(size, first + kRun);
    auto sum = hn::Zero(lanes);
    std::int64_t i = first;
    for (; i + width <= end; i += width) {
      const auto g = hn::LoadU(lanes, gradient + i);
      sum = hn::MulAdd(g, g, sum);
    }
    total += static_cast<double>(hn::GetLane(hn::SumOfLanes(lanes, sum)));
    for (; i < end; ++i) total += static_cast<double>(gradient[i]) * gradient[i];
  }
  return total;
}

}  // namespace lpdm::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lpdm::cpu {

HWY_EXPORT(adam_step);
HWY_EXPORT(squared_norm);

void clip_adam(Context&, const ClipAdam& op) {
  constexpr double kFirstDecay = 0.9;
  constexpr double kSecondDecay = 0.999;
  constexpr double kEpsilon = 1e-8;
  constexpr double kNormEpsilon = 1e-6;
  double squared = 0.0;
  for (std::int64_t s = 0; s < op.slice_count; ++s) {
    const ParameterSlice& slice = op.slices[s];
    const double slice_squared = HWY_DYNAMIC_DISPATCH(squared_norm)(slice.gradient, slice.size);
    *slice.gradient_norm = std::sqrt(slice_squared);
    squared += slice_squared;
  }
  const double norm = std::sqrt(squared);
  const double scale = op.clip > 0.0 ? std::min(1.0, op.clip / (norm + kNormEpsilon)) : 1.0;
  const double rate_factor = op.rate_factor != nullptr ? *op.rate_factor : 1.0;
  const auto step = static_cast<double>(++*op.step);
  const double first_bias = 1.0 - std::pow(kFirstDecay, step);
  const double second_bias = 1.0 - std::pow(kSecondDecay, step);
  AdamFactors factors{
      .gradient_scale = static_cast<float>(scale),
      .first_decay = static_cast<float>(kFirstDecay),
      .first_rest = static_cast<float>(1.0 - kFirstDecay),
      .second_decay = static_cast<float>(kSecondDecay),
      .second_rest = static_cast<float>(1.0 - kSecondDecay),
      .step_size = 0.0F,
      .second_correction = static_cast<float>(1.0 / std::sqrt(second_bias)),
      .epsilon = static_cast<float>(kEpsilon),
  };
  for (std::int64_t s = 0; s < op.slice_count; ++s) {
    factors.step_size = static_cast<float>(rate_factor * op.slices[s].learning_rate / first_bias);
    HWY_DYNAMIC_DISPATCH(adam_step)(op.slices[s], factors);
  }
}

}  // namespace lpdm::cpu
#endif  // HWY_ONCE
