// What checkpoints call the layers of a network.
#pragma once

#include <string>
#include <vector>

#include "lpdm/network.h"

namespace lpdm {

struct NamedLayer {
  std::string name;  // hidden.0, …, head, value
  Layer* layer;
  bool hidden;
};

// Hidden layers, policy head, and value head if there is one.
std::vector<NamedLayer> named_layers(Network& network);

}  // namespace lpdm
