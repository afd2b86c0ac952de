#include "lpdm/parameters.h"

#include <fmt/format.h>

#include "lpdm/error.h"

namespace lpdm {

Parameters::Parameters(Backend& backend, std::int64_t size)
    : value_(backend, size),
      gradient_(backend, size),
      first_moment_(backend, size),
      second_moment_(backend, size),
      adam_step_(backend, 1),
      gradient_norm_(backend, 1) {}

ParameterSlice Parameters::slice(double learning_rate) {
  return {.value = value_.data(),
          .gradient = gradient_.data(),
          .first_moment = first_moment_.data(),
          .second_moment = second_moment_.data(),
          .size = value_.size(),
          .learning_rate = learning_rate,
          .gradient_norm = gradient_norm_.data()};
}

OptimizerState Parameters::optimizer_state() const {
  return {first_moment_.read(), second_moment_.read(), adam_step_.read().front()};
}

void Parameters::set_values(const std::vector<float>& values) {
  if (static_cast<std::int64_t>(values.size()) != size()) {
    throw Error(fmt::format("{} parameters were given {} values", size(), values.size()));
  }
  value_.write(values);
}

void Parameters::set_optimizer_state(const OptimizerState& state) {
  const auto expected = static_cast<std::size_t>(size());
  if (state.first_moment.size() != expected || state.second_moment.size() != expected) {
    throw Error(fmt::format("{} parameters were given {} and {} moments", expected,
                            state.first_moment.size(), state.second_moment.size()));
  }
  first_moment_.write(state.first_moment);
  second_moment_.write(state.second_moment);
  adam_step_.write(std::vector<std::int64_t>{state.step});
}

}  // namespace lpdm
