#include "io/checkpoint.h"

#include <fmt/format.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "io/safetensors.h"
#include "lpdm/error.h"

namespace lpdm {
namespace {

constexpr const char* kFormat = "lpdm-checkpoint-1";

std::string layer_name(std::size_t layer, std::size_t layers) {
  return layer + 1 == layers ? "head" : fmt::format("hidden.{}", layer);
}

// The names of a checkpoint's running statistics begin with these.
constexpr const char* kObservations = "normalization.observations";
constexpr const char* kReturns = "normalization.returns";
constexpr std::size_t kMomentsTensors = 3;

void add_moments(TensorFile& file, const std::string& name,
                 const std::optional<MomentsState>& moments) {
  if (!moments) return;
  const auto width = static_cast<std::int64_t>(moments->mean.size());
  file.tensors[name + ".count"] = {{1}, std::vector<std::int64_t>{moments->count}};
  file.tensors[name + ".mean"] = {{width}, moments->mean};
  file.tensors[name + ".squares"] = {{width}, moments->squares};
}

class CheckpointReader {
 public:
  CheckpointReader(const std::filesystem::path& path)
      : source_(path.string()), file_(load_safetensors(path)) {
    const auto format = file_.metadata.find("format");
    if (format == file_.metadata.end() || format->second != kFormat) {
      fail(fmt::format("it is not a checkpoint of this version; expected format {}", kFormat));
    }
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw UsageError(fmt::format("\"{}\" cannot be used: {}", source_, what));
  }

  template <class T>
  std::vector<T> take(const std::string& name, const std::vector<std::int64_t>& shape) const {
    const auto found = file_.tensors.find(name);
    if (found == file_.tensors.end()) fail(fmt::format("it has no tensor {}", name));
    const auto* values = std::get_if<std::vector<T>>(&found->second.values);
    if (values == nullptr || found->second.shape != shape) {
      fail(fmt::format("tensor {} does not fit this run's network or has another type", name));
    }
    return *values;
  }

  MomentsState take_moments(const std::string& name, std::int64_t width) const {
    MomentsState moments{take<std::int64_t>(name + ".count", {1}).front(),
                         take<double>(name + ".mean", {width}),
                         take<double>(name + ".squares", {width})};
    if (moments.count < 0) fail(fmt::format("tensor {}.count is negative", name));
    return moments;
  }

  std::size_t tensors() const { return file_.tensors.size(); }

 private:
  std::string source_;
  TensorFile file_;
};

}  // namespace

void save_checkpoint(const std::filesystem::path& path, Trainer& trainer) {
  TensorFile file;
  file.metadata["format"] = kFormat;
  file.metadata["environment"] = trainer.environment().id;
  const auto layers = trainer.network().layers();
  for (std::size_t l = 0; l < layers.size(); ++l) {
    const std::string name = layer_name(l, layers.size());
    LayerValues values = layers[l].values();
    OptimizerState optimizer = layers[l].optimizer_state();
    const auto size = static_cast<std::int64_t>(optimizer.first_moment.size());
    file.tensors[name + ".weight"] = {{layers[l].out(), layers[l].in()}, std::move(values.weight)};
    file.tensors[name + ".bias"] = {{layers[l].out()}, std::move(values.bias)};
    file.tensors[name + ".adam.first_moment"] = {{size}, std::move(optimizer.first_moment)};
    file.tensors[name + ".adam.second_moment"] = {{size}, std::move(optimizer.second_moment)};
    file.tensors[name + ".adam.step"] = {{1}, std::vector<std::int64_t>{optimizer.step}};
  }
  const Progress progress = trainer.progress();
  file.tensors["progress"] = {{2},
                              std::vector<std::int64_t>{progress.iteration, progress.env_steps}};
  const NormalizationState normalization = trainer.normalization();
  add_moments(file, kObservations, normalization.observations);
  add_moments(file, kReturns, normalization.returns);
  save_safetensors(path, file);
}

void load_checkpoint(const std::filesystem::path& path, Trainer& trainer) {
  const CheckpointReader reader(path);
  const auto layers = trainer.network().layers();
  std::vector<std::pair<LayerValues, OptimizerState>> states;
  for (std::size_t l = 0; l < layers.size(); ++l) {
    const std::string name = layer_name(l, layers.size());
    const std::int64_t in = layers[l].in();
    const std::int64_t out = layers[l].out();
    const std::int64_t size = in * out + out;
    states.push_back({{reader.take<float>(name + ".weight", {out, in}),
                       reader.take<float>(name + ".bias", {out})},
                      {reader.take<float>(name + ".adam.first_moment", {size}),
                       reader.take<float>(name + ".adam.second_moment", {size}),
                       reader.take<std::int64_t>(name + ".adam.step", {1}).front()}});
  }
  const auto progress = reader.take<std::int64_t>("progress", {2});
  const EnvConfig& env = trainer.config().env;
  NormalizationState normalization;
  std::size_t tensors = 5 * layers.size() + 1;
  if (env.normalize_observations) {
    normalization.observations =
        reader.take_moments(kObservations, trainer.environment().observation_size);
    tensors += kMomentsTensors;
  }
  if (env.normalize_rewards) {
    normalization.returns = reader.take_moments(kReturns, 1);
    tensors += kMomentsTensors;
  }
  if (reader.tensors() != tensors) {
    reader.fail("it holds more layers or statistics than this run has");
  }
  for (std::size_t l = 0; l < layers.size(); ++l) {
    layers[l].set_values(states[l].first);
    layers[l].set_optimizer_state(states[l].second);
  }
  trainer.restore({.iteration = progress[0], .env_steps = progress[1]}, normalization);
}

}  // namespace lpdm
