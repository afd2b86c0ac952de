#include "io/checkpoint.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "io/checkpoint_reader.h"
#include "io/safetensors.h"
#include "nn/named_layers.h"

namespace lpdm {
namespace {

using namespace checkpoint_names;

void add_optimizer(TensorFile& file, const std::string& name, const Parameters& parameters) {
  OptimizerState state = parameters.optimizer_state();
  const std::int64_t size = parameters.size();
  file.tensors[name + ".adam.first_moment"] = {{size}, std::move(state.first_moment)};
  file.tensors[name + ".adam.second_moment"] = {{size}, std::move(state.second_moment)};
  file.tensors[name + ".adam.step"] = {{1}, std::vector<std::int64_t>{state.step}};
}

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

CheckpointShape shape_of(Trainer& trainer) {
  const EnvConfig& env = trainer.config().env;
  CheckpointShape shape;
  for (const NamedLayer& named : named_layers(trainer.network())) {
    shape.layers.push_back({named.name, named.layer->in(), named.layer->out()});
  }
  if (const Parameters* log_std = trainer.network().log_std()) shape.log_std = log_std->size();
  if (env.normalize_observations) shape.observations = trainer.environment().observation_size;
  shape.rewards = env.normalize_rewards;
  shape.environments = env.count;
  return shape;
}

}  // namespace

TensorFile checkpoint_tensors(Trainer& trainer) {
  TensorFile file;
  file.metadata["format"] = kCheckpointFormat;
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
  file.tensors[kProgress] = {{2},
                             std::vector<std::int64_t>{progress.iteration, progress.env_steps}};
  const NormalizationState normalization = trainer.normalization();
  add_moments(file, kObservations, normalization.observations);
  add_moments(file, kReturns, normalization.returns);
  add_rollout(file, trainer.rollout_state());
  return file;
}

void restore_checkpoint(const TensorFile& file, const std::string& source, RestoreFor purpose,
                        Trainer& trainer) {
  const CheckpointState state = read_checkpoint(file, source, shape_of(trainer));
  const std::vector<NamedLayer> layers = named_layers(trainer.network());
  for (std::size_t l = 0; l < layers.size(); ++l) {
    layers[l].layer->set_values(state.layers[l].values);
    layers[l].layer->parameters().set_optimizer_state(state.layers[l].optimizer);
  }
  if (Parameters* parameters = trainer.network().log_std()) {
    parameters->set_values(state.log_std);
    parameters->set_optimizer_state(state.log_std_optimizer);
  }
  trainer.restore(state.progress, state.normalization,
                  purpose == RestoreFor::kTraining ? state.rollout : RolloutState{});
}

}  // namespace lpdm
