#include "rl/parameter_group.h"

#include <fmt/format.h>

#include <cmath>

#include "lpdm/error.h"

namespace lpdm {

void clip_adam_step(Backend& backend, const std::vector<ParameterSlice>& slices, double clip,
                    std::int64_t* adam_step) {
  backend.clip_adam({.slices = slices.data(),
                     .slice_count = static_cast<std::int64_t>(slices.size()),
                     .clip = clip,
                     .step = adam_step});
}

void check_gradient_finite(const Parameters& parameters, const std::string& owner) {
  if (std::isfinite(parameters.gradient_norm())) return;
  throw NumericalError(
      fmt::format("the gradient of {} is not finite; lower its learning rate or check rewards "
                  "and observations",
                  owner));
}

void check_loss_finite(double value, const std::string& loss) {
  if (std::isfinite(value)) return;
  throw NumericalError(
      fmt::format("the {} loss is {}; lower the learning rates or check the rewards", loss, value));
}

}  // namespace lpdm
