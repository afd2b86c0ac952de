#include "nn/named_layers.h"

#include <fmt/format.h>

namespace lpdm {

std::vector<NamedLayer> named_layers(Network& network) {
  std::vector<NamedLayer> layers;
  for (Layer& layer : network.hidden()) {
    layers.push_back({fmt::format("hidden.{}", layers.size()), &layer, true});
  }
  layers.push_back({"head", &network.head(), false});
  if (network.value_head() != nullptr) layers.push_back({"value", network.value_head(), false});
  return layers;
}

}  // namespace lpdm
