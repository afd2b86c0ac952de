#include "rl/parameter_group.h"

#include <fmt/format.h>

#include <cmath>

#include "lpdm/error.h"

namespace lpdm {

void clip_adam_step(Backend& backend, const std::vector<ParameterSlice>& slices, double clip,
                    const double* rate_factor, std::int64_t* adam_step) {
  backend.clip_adam({.slices = slices.data(),
                     .slice_count = static_cast<std::int64_t>(slices.size()),
                     .clip = clip,
                     .rate_factor = rate_factor,
                     .step = adam_step});
}

void check_gradient_finite(const Parameters& parameters, const std::string& owner) {
  if (std::isfinite(parameters.gradient_norm())) return;
  throw NumericalError(
      fmt::format("the gradient of {} is not finite; lower its learning rate or check rewards "
                  "and observations",
                  owner));
}

void check_parameters_finite(Network& network) {
  const auto check = [](const Parameters& parameters, const std::string& owner) {
    for (const float value : parameters.values()) {
      if (std::isfinite(value)) continue;
      throw NumericalError(
          fmt::format("a parameter of {} is {}; lower its learning rate or check rewards and "
                      "observations",
                      owner, value));
    }
  };
  for (std::size_t l = 0; l < network.hidden().size(); ++l) {
    check(network.hidden()[l].parameters(), fmt::format("hidden layer {}", l + 1));
  }
  check(network.head().parameters(), "the policy head");
  if (Layer* value = network.value_head()) check(value->parameters(), "the value head");
  if (const Parameters* log_std = network.log_std()) check(*log_std, "the standard deviations");
}

void check_loss_finite(double value, const std::string& loss) {
  if (std::isfinite(value)) return;
  throw NumericalError(
      fmt::format("the {} loss is {}; lower the learning rates or check the rewards", loss, value));
}

}  // namespace lpdm
