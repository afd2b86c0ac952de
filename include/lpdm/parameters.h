// Parameters that are learnt together: their values, gradient and Adam state in arrays of the same
// layout, in backend memory.
#pragma once

#include <cstdint>
#include <vector>

#include "lpdm/backend.h"

namespace lpdm {

// Adam's state on the host; the moments are laid out as the values.
struct OptimizerState {
  std::vector<float> first_moment;   // (size)
  std::vector<float> second_moment;  // (size)
  std::int64_t step = 0;             // updates so far
};

class Parameters {
 public:
  // All zero.
  Parameters(Backend& backend, std::int64_t size);

  std::int64_t size() const { return value_.size(); }
  const float* value() const { return value_.data(); }
  float* gradient() { return gradient_.data(); }

  // All of them as one slice of a parameter group.
  ParameterSlice slice(double learning_rate);
  // The updates so far of the group that these parameters lead.
  std::int64_t* adam_step() { return adam_step_.data(); }
  // Norm of the gradient before the clip, of the latest update.
  double gradient_norm() const { return gradient_norm_.read().front(); }

  std::vector<float> values() const { return value_.read(); }
  OptimizerState optimizer_state() const;
  // Both throw Error if the sizes do not fit.
  void set_values(const std::vector<float>& values);
  void set_optimizer_state(const OptimizerState& state);

 private:
  DeviceArray<float> value_;
  DeviceArray<float> gradient_;
  DeviceArray<float> first_moment_;
  DeviceArray<float> second_moment_;
  DeviceArray<std::int64_t> adam_step_;
  DeviceArray<double> gradient_norm_;
};

}  // namespace lpdm
