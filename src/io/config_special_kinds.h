// Kinds of value that belong to one setting each.
#pragma once

#include <string>

#include "io/config_kinds.h"

namespace lpdm {

// One of environment_ids().
Kind<std::string> environment_id();

// An object with the arguments of the environment env.id: booleans, numbers and [low, high], the
// strings "inf" and "-inf" where a bound is open. Written with every argument the environment
// offers; what equals its default is left out again when read.
Kind<EnvironmentOptions> environment_options();

// "all" or "landmarks:M".
Kind<PairSelection> pair_selection();

// A number in [0, high], a list of one per layer of network.hidden, or "scaled:x".
Kind<LayerRates> layer_rates(double high);

}  // namespace lpdm
