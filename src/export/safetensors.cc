#include "export/formats.h"

namespace lpdm {

TensorFile export_safetensors(const PolicySnapshot& snapshot) {
  TensorFile file;
  for (const auto& [name, value] : snapshot.facts) file.metadata[name] = value;
  for (const PolicySnapshot::Layer& layer : snapshot.layers) {
    file.tensors[layer.name + ".weight"] = {{layer.out, layer.in}, layer.weight};
    file.tensors[layer.name + ".bias"] = {{layer.out}, layer.bias};
  }
  const std::int64_t actions = snapshot.action.size;
  if (!snapshot.std.empty()) file.tensors["std"] = {{actions}, snapshot.std};
  if (snapshot.scaling) {
    file.tensors["observation.shift"] = {{snapshot.observation_size}, snapshot.scaling->shift};
    file.tensors["observation.scale"] = {{snapshot.observation_size}, snapshot.scaling->scale};
    file.tensors["observation.limit"] = {{1}, std::vector<double>{snapshot.scaling->limit}};
  }
  file.tensors["example.observation"] = {{snapshot.observation_size}, snapshot.example_observation};
  file.tensors["example.output"] = {{actions}, snapshot.example_output};
  return file;
}

}  // namespace lpdm
