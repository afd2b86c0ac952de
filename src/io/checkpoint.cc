#include "io/checkpoint.h"

#include <fmt/format.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "io/safetensors.h"
#include "lpdm/error.h"
#include "nn/named_layers.h"

namespace lpdm {
namespace {

constexpr const char* kFormat = "lpdm-checkpoint-1";

constexpr const char* kLogStd = "log_std";

void add_optimizer(TensorFile& file, const std::string& name, const Parameters& parameters) {
  OptimizerState state = parameters.optimizer_state();
  const std::int64_t size = parameters.size();
  file.tensors[name + ".adam.first_moment"] = {{size}, std::move(state.first_moment)};
  file.tensors[name + ".adam.second_moment"] = {{size}, std::move(state.second_moment)};
  file.tensors[name + ".adam.step"] = {{1}, std::vector<std::int64_t>{state.step}};
}

// The names of a checkpoint's running statistics begin with these.
constexpr const char* kObservations = "normalization.observations";
constexpr const char* kReturns = "normalization.returns";
// The running episodes, one after another.
constexpr const char* kEpisodes = "rollout.episodes";
constexpr const char* kSizes = "rollout.action_sizes";
constexpr const char* kActions = "rollout.actions";

void add_moments(TensorFile& file, const std::string& name,
                 const std::optional<MomentsState>& moments) {
  if (!moments) return;
  const auto width = static_cast<std::int64_t>(moments->mean.size());
  file.tensors[name + ".count"] = {{1}, std::vector<std::int64_t>{moments->count}};
  file.tensors[name + ".mean"] = {{width}, moments->mean};
  file.tensors[name + ".squares"] = {{width}, moments->squares};
}

void add_rollout(TensorFile& file, const RolloutState& rollout) {
  if (rollout.empty()) return;
  const auto count = static_cast<std::int64_t>(rollout.size());
  std::vector<std::int64_t> episodes, sizes;
  std::vector<float> actions;
  for (const RunningEpisode& running : rollout) {
    episodes.push_back(running.episode);
    sizes.push_back(static_cast<std::int64_t>(running.actions.size()));
    actions.insert(actions.end(), running.actions.begin(), running.actions.end());
  }
  const auto total = static_cast<std::int64_t>(actions.size());
  file.tensors[kEpisodes] = {{count}, std::move(episodes)};
  file.tensors[kSizes] = {{count}, std::move(sizes)};
  file.tensors[kActions] = {{total}, std::move(actions)};
}

class CheckpointReader {
 public:
  CheckpointReader(const TensorFile& file, const std::string& source)
      : source_(source), file_(file) {
    const auto format = file_.metadata.find("format");
    if (format == file_.metadata.end() || format->second != kFormat) {
      fail(fmt::format("it is not a checkpoint of this version; expected format {}", kFormat));
    }
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw UsageError(fmt::format("\"{}\" cannot be used: {}", source_, what));
  }

  template <class T>
  std::vector<T> take(const std::string& name, const std::vector<std::int64_t>& shape) {
    ++taken_;
    const auto found = file_.tensors.find(name);
    if (found == file_.tensors.end()) fail(fmt::format("it has no tensor {}", name));
    const auto* values = std::get_if<std::vector<T>>(&found->second.values);
    if (values == nullptr || found->second.shape != shape) {
      fail(fmt::format("tensor {} does not fit this run's network or has another type", name));
    }
    return *values;
  }

  OptimizerState take_optimizer(const std::string& name, std::int64_t size) {
    return {take<float>(name + ".adam.first_moment", {size}),
            take<float>(name + ".adam.second_moment", {size}),
            take<std::int64_t>(name + ".adam.step", {1}).front()};
  }

  // None where the run saved none.
  RolloutState take_rollout(const Trainer& trainer) {
    if (!file_.tensors.contains(kEpisodes)) return {};
    const std::int64_t count = trainer.config().env.count;
    const auto episodes = take<std::int64_t>(kEpisodes, {count});
    const auto sizes = take<std::int64_t>(kSizes, {count});
    std::int64_t total = 0;
    for (const std::int64_t size : sizes) {
      if (size < 0 || size > kMaxActions) fail(fmt::format("tensor {} is damaged", kSizes));
      total += size;
    }
    const auto actions = take<float>(kActions, {total});
    RolloutState rollout;
    auto next = actions.begin();
    for (std::size_t e = 0; e < sizes.size(); ++e) {
      rollout.push_back({static_cast<std::uint32_t>(episodes[e]), {next, next + sizes[e]}});
      next += sizes[e];
    }
    return rollout;
  }

  MomentsState take_moments(const std::string& name, std::int64_t width) {
    MomentsState moments{take<std::int64_t>(name + ".count", {1}).front(),
                         take<double>(name + ".mean", {width}),
                         take<double>(name + ".squares", {width})};
    if (moments.count < 0) fail(fmt::format("tensor {}.count is negative", name));
    return moments;
  }

  bool all_taken() const { return taken_ == file_.tensors.size(); }

 private:
  static constexpr std::int64_t kMaxActions = std::int64_t{1} << 40;

  const std::string& source_;
  const TensorFile& file_;
  std::size_t taken_ = 0;
};

}  // namespace

TensorFile checkpoint_tensors(Trainer& trainer) {
  TensorFile file;
  file.metadata["format"] = kFormat;
  file.metadata["environment"] = trainer.environment().id;
  for (const NamedLayer& named : named_layers(trainer.network())) {
    const LayerValues values = named.layer->values();
    const std::int64_t in = named.layer->in();
    const std::int64_t out = named.layer->out();
    file.tensors[named.name + ".weight"] = {{out, in}, values.weight};
    file.tensors[named.name + ".bias"] = {{out}, values.bias};
    add_optimizer(file, named.name, named.layer->parameters());
  }
  if (const Parameters* log_std = trainer.network().log_std()) {
    file.tensors[kLogStd] = {{log_std->size()}, log_std->values()};
    add_optimizer(file, kLogStd, *log_std);
  }
  const Progress progress = trainer.progress();
  file.tensors["progress"] = {{2},
                              std::vector<std::int64_t>{progress.iteration, progress.env_steps}};
  const NormalizationState normalization = trainer.normalization();
  add_moments(file, kObservations, normalization.observations);
  add_moments(file, kReturns, normalization.returns);
  add_rollout(file, trainer.rollout_state());
  return file;
}

void restore_checkpoint(const TensorFile& file, const std::string& source, RestoreFor purpose,
                        Trainer& trainer) {
  CheckpointReader reader(file, source);
  std::vector<std::pair<LayerValues, OptimizerState>> states;
  const std::vector<NamedLayer> layers = named_layers(trainer.network());
  for (const NamedLayer& named : layers) {
    const std::int64_t in = named.layer->in();
    const std::int64_t out = named.layer->out();
    LayerValues values{reader.take<float>(named.name + ".weight", {out, in}),
                       reader.take<float>(named.name + ".bias", {out})};
    states.push_back({std::move(values), reader.take_optimizer(named.name, in * out + out)});
  }
  std::vector<float> log_std;
  OptimizerState log_std_state;
  if (const Parameters* parameters = trainer.network().log_std()) {
    log_std = reader.take<float>(kLogStd, {parameters->size()});
    log_std_state = reader.take_optimizer(kLogStd, parameters->size());
  }
  const auto progress = reader.take<std::int64_t>("progress", {2});
  const EnvConfig& env = trainer.config().env;
  NormalizationState normalization;
  if (env.normalize_observations) {
    normalization.observations =
        reader.take_moments(kObservations, trainer.environment().observation_size);
  }
  if (env.normalize_rewards) normalization.returns = reader.take_moments(kReturns, 1);
  const RolloutState rollout = reader.take_rollout(trainer);
  if (!reader.all_taken()) reader.fail("it holds more layers or statistics than this run has");
  for (std::size_t l = 0; l < layers.size(); ++l) {
    layers[l].layer->set_values(states[l].first);
    layers[l].layer->parameters().set_optimizer_state(states[l].second);
  }
  if (Parameters* parameters = trainer.network().log_std()) {
    parameters->set_values(log_std);
    parameters->set_optimizer_state(log_std_state);
  }
  trainer.restore({.iteration = progress[0], .env_steps = progress[1]}, normalization,
                  purpose == RestoreFor::kTraining ? rollout : RolloutState{});
}

}  // namespace lpdm
