// What the tests of rows as they are played have in common.
#pragma once

#include <string>
#include <vector>

#include "lpdm/config.h"
#include "lpdm/network.h"

namespace lpdm {

inline Config config_of(const std::string& overrides) {
  Config config = parse_config(overrides);
  config.network.hidden = {16, 24};   // the second layer's outputs are padded for inference
  config.env.max_episode_steps = 16;  // some episodes are truncated, others end before
  config.algorithm.episodes_per_update = 12;
  config.run.threads = 1;
  config.run.diagnostics_every = 1;
  return config;
}

// All that a network learns.
inline std::vector<Parameters*> groups_of(Network& network) {
  std::vector<Parameters*> groups;
  for (Layer& layer : network.layers()) groups.push_back(&layer.parameters());
  if (Layer* value = network.value_head()) groups.push_back(&value->parameters());
  if (Parameters* log_std = network.log_std()) groups.push_back(log_std);
  return groups;
}

}  // namespace lpdm
