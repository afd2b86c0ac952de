// Kinds of value that belong to one setting each.
#pragma once

#include <optional>
#include <string>

#include "io/config_kinds.h"

namespace lpdm {

// One of environment_ids(), mjcf, or mjcf:DEFINITION; written without the definition.
Kind<std::string> environment_id();

// The definition within the id of a custom environment, "" for others. Read into the id that was
// given before it, as an absolute path.
Kind<std::string> environment_definition();

// An object with the arguments of the environment env.id: booleans, numbers and [low, high], the
// strings "inf" and "-inf" where a bound is open. Written with every argument the environment
// offers; what equals its default is left out again when read.
Kind<EnvironmentOptions> environment_options();

// A run folder, "" for none. Read as an absolute path.
Kind<std::string> run_folder_path();

// "all", "landmarks:M", "lowrank:R", or one of the sparse kinds.
Kind<PairSelection> pair_selection();

// A number in [low, high], or `none`, the word for its absence ("learned"); written as null where
// the word is empty.
Kind<std::optional<double>> number_or(const std::string& none, double low, double high);

// Error propagation does not go with "lowrank:R".
Kind<TargetRule> target_rule();

// "batch", or "episode" if hidden.pairs is all and the algorithm is not ppo.
Kind<LossBlock> loss_block();

// A number in [0, high], a list of one per layer of network.hidden, or "scaled:x".
Kind<LayerRates> layer_rates(double high);

}  // namespace lpdm
