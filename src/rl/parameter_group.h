// Steps and checks of a group of parameters that are clipped together.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lpdm/backend.h"
#include "lpdm/network.h"
#include "lpdm/parameters.h"

namespace lpdm {

// One clipped Adam step. clip: 0 for none. rate_factor (in backend memory) multiplies all rates.
// adam_step: the updates of the group so far.
void clip_adam_step(Backend& backend, const std::vector<ParameterSlice>& slices, double clip,
                    const double* rate_factor, std::int64_t* adam_step);

// Throws NumericalError naming `owner` if the norm of the latest gradient is not finite.
void check_gradient_finite(const Parameters& parameters, const std::string& owner);

// Throws NumericalError naming a group of the network whose parameters are not all finite.
void check_parameters_finite(Network& network);

// Throws NumericalError naming `loss` ("policy") if `value` is not finite.
void check_loss_finite(double value, const std::string& loss);

}  // namespace lpdm
