#include "export/policy_snapshot.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/build_info.h"
#include "lpdm/random.h"
#include "nn/named_layers.h"
#include "rl/policy_player.h"

namespace lpdm {
namespace {

std::vector<PolicySnapshot::Layer> layers_of(Network& network) {
  std::vector<PolicySnapshot::Layer> layers;
  for (const NamedLayer& named : named_layers(network)) {
    if (named.layer == network.value_head()) continue;
    LayerValues values = named.layer->values();
    layers.push_back({.name = named.name,
                      .in = named.layer->in(),
                      .out = named.layer->out(),
                      .activation = named.layer->activation(),
                      .weight = std::move(values.weight),
                      .bias = std::move(values.bias)});
  }
  return layers;
}

std::vector<float> first_observation(const Config& config) {
  const auto environment = make_environment(config.env.id, config.env.options);
  RandomStream random(config.run.seed, {.purpose = StreamPurpose::kEvaluationReset});
  environment->reset(random);
  std::vector<float> observation(static_cast<std::size_t>(environment->spec().observation_size));
  environment->observe(observation);
  return observation;
}

std::vector<std::pair<std::string, std::string>> facts_of(const PolicySnapshot& snapshot,
                                                          Trainer& trainer) {
  const BuildInfo build = build_info();
  const ActionSpace& action = snapshot.action;
  std::vector<std::pair<std::string, std::string>> facts = {
      {"format", "lpdm-policy-1"},
      {"environment", snapshot.environment},
      {"observation_size", fmt::to_string(snapshot.observation_size)},
      {"action_type", action.discrete ? "discrete" : "continuous"},
      {"action_size", fmt::to_string(action.size)},
      {"activation", activation_name(snapshot.layers.front().activation)},
      {"iterations", fmt::to_string(trainer.progress().iteration)},
      {"seed", fmt::to_string(trainer.config().run.seed)},
      {"lpdm_version", build.version},
      {"lpdm_commit", build.commit}};
  if (!action.discrete) {
    facts.emplace_back("action_low", fmt::format("{}", fmt::join(action.low, " ")));
    facts.emplace_back("action_high", fmt::format("{}", fmt::join(action.high, " ")));
  }
  return facts;
}

}  // namespace

const char* activation_name(Activation activation) {
  switch (activation) {
    case Activation::kTanh:
      return "tanh";
    case Activation::kRelu:
      return "relu";
    default:
      return "identity";
  }
}

PolicySnapshot take_snapshot(Trainer& trainer) {
  PolicyPlayer player(trainer);
  const EnvironmentSpec& environment = trainer.environment();
  PolicySnapshot snapshot;
  snapshot.environment = environment.id;
  snapshot.observation_size = environment.observation_size;
  snapshot.action = environment.action;
  if (const Normalizer& normalizer = player.normalizer(); normalizer.observations()) {
    snapshot.scaling = {.shift = {normalizer.shift().begin(), normalizer.shift().end()},
                        .scale = {normalizer.scale().begin(), normalizer.scale().end()},
                        .limit = Normalizer::kLimit};
  }
  snapshot.layers = layers_of(trainer.network());
  if (!snapshot.action.discrete) {
    const std::span<const double> std = player.policy().std();
    snapshot.std = {std.begin(), std.end()};
  }
  snapshot.example_observation = first_observation(trainer.config());
  const std::span<const float> output = player.run(snapshot.example_observation);
  snapshot.example_output = {output.begin(), output.end()};
  snapshot.facts = facts_of(snapshot, trainer);
  return snapshot;
}

}  // namespace lpdm
