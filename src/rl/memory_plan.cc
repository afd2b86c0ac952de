#include "lpdm/memory_plan.h"

#include <algorithm>
#include <cmath>

#include "cpu/pairs/pairwise_memory.h"
#include "lpdm/backend.h"
#include "lpdm/ops.h"
#include "lpdm/thread_pool.h"
#include "nn/activations.h"
#include "rl/hidden_learner.h"
#include "rl/row_sampler.h"

namespace lpdm {
namespace {

constexpr double kFloat = sizeof(float);
constexpr double kIndex = sizeof(std::int64_t);

// What the plan cannot count, measured: the program with its libraries; a thread's stack and the
// buffers of BLAS; one instance of Gymnasium's MuJoCo models (0.2 MB) or of another environment.
constexpr double kProgramBytes = 24e6;
constexpr double kThreadBytes = 4e6;
constexpr double kMujocoBytes = 0.25e6;
constexpr double kInstanceBytes = 8e3;

constexpr const char* kPairs = "pairs";
constexpr const char* kParameters = "parameters";

struct LayerSize {
  double in, out;
  double parameters() const { return (in + 1) * out; }
};

// The network's layers: hidden ones, then the policy head, then the value head if there is one.
std::vector<LayerSize> layer_sizes(const Config& config, const EnvironmentSpec& environment) {
  std::vector<LayerSize> layers;
  auto in = static_cast<double>(environment.observation_size);
  for (const std::int64_t width : config.network.hidden) {
    layers.push_back({in, static_cast<double>(width)});
    in = static_cast<double>(width);
  }
  layers.push_back({in, static_cast<double>(environment.action.size)});
  if (config.algorithm.has_value_head()) layers.push_back({in, 1.0});
  return layers;
}

// How many rows an update works on.
struct UpdateRows {
  double rows = 0.0;      // that it learns from
  double capacity = 0.0;  // that activations have room for, observations for bootstrapping included
  double minibatch = 0.0;  // that each of PPO's steps learns from; 0: there are none
  double local = 0.0;      // that a local loss is formed of
};

UpdateRows update_rows(const Config& config, std::int64_t rows) {
  const AlgorithmConfig& algorithm = config.algorithm;
  const auto all = static_cast<double>(rows);
  const auto bucket = [](std::int64_t n) { return static_cast<double>(row_bucket(n)); };
  if (algorithm.name != AlgorithmName::kPpo) {
    const std::int64_t final_ones = algorithm.has_value_head() ? algorithm.episodes_per_update : 0;
    return {.rows = all, .capacity = bucket(rows + final_ones), .minibatch = 0.0, .local = all};
  }
  const auto minibatch = static_cast<double>(std::min(algorithm.ppo.minibatch, rows));
  return {.rows = all,
          .capacity = bucket(2 * rows + config.env.count),  // as if each step ended an episode
          .minibatch = minibatch,
          .local = config.hidden.stays_within_epoch() ? all : minibatch};
}

double sum_of(const std::vector<LayerSize>& layers, double (*part)(const LayerSize&)) {
  double sum = 0.0;
  for (const LayerSize& layer : layers) sum += part(layer);
  return sum;
}

double padded(double width) {
  constexpr auto kPad = static_cast<double>(kInferencePad);
  return std::ceil(width / kPad) * kPad;
}

// Values, gradients and two moments.
double parameter_bytes(const std::vector<LayerSize>& layers) {
  return 4 * kFloat * sum_of(layers, [](const LayerSize& layer) { return layer.parameters(); });
}

// Values and moments on the host, and the file's text made of them.
double checkpoint_bytes(const std::vector<LayerSize>& layers) {
  return 2 * 3 * kFloat * sum_of(layers, [](const LayerSize& l) { return l.parameters(); });
}

// The rollouts' copy of the parameters, and the rows of one step.
double rollout_bytes(const std::vector<LayerSize>& layers, const Config& config) {
  const auto count = static_cast<double>(config.env.count);
  const double packed =
      sum_of(layers, [](const LayerSize& layer) { return (layer.in + 1) * padded(layer.out); });
  double widest = 0.0;
  for (const LayerSize& layer : layers) widest = std::max(widest, padded(layer.out));
  return kFloat * (packed + count * (layers.front().in + layers.back().out + 2 * widest));
}

// Outputs and deltas. While those of REINFORCE or its observations grow, one of them exists in its
// old size too, with the rows that have been played; PPO's have room for more than they are likely
// to need, and there are those of its mini-batches.
double activation_bytes(const std::vector<LayerSize>& layers, const UpdateRows& update) {
  double widest = layers.front().in;
  for (const LayerSize& layer : layers) widest = std::max(widest, layer.out);
  const double widths = sum_of(layers, [](const LayerSize& layer) { return layer.out; });
  if (update.minibatch == 0.0) return kFloat * update.capacity * (2 * widths + widest / 2);
  const std::int64_t minibatch = row_bucket(static_cast<std::int64_t>(update.minibatch));
  return kFloat * (update.capacity + static_cast<double>(minibatch)) * 2 * widths;
}

// What PPO has beside the rows themselves: the old policy's outputs, the shuffled order, ends, a
// mini-batch, whose inputs may be features, and the losses of all steps.
double ppo_bytes(const Config& config, const EnvironmentSpec& environment,
                 const UpdateRows& update) {
  if (update.minibatch == 0.0) return 0.0;
  constexpr double kPerRow = 3;  // old values, advantages, returns
  constexpr double kLossBytes = 64;
  constexpr double kEnds = 2;
  const auto outputs = static_cast<double>(environment.action.size);
  const auto inputs =
      static_cast<double>(std::max(config.network.hidden.back(), environment.observation_size));
  const auto action = static_cast<double>(environment.action.width());
  const double steps =
      static_cast<double>(config.algorithm.ppo.epochs) * std::ceil(update.rows / update.minibatch);
  return update.rows * (kFloat * outputs + kIndex + kEnds) + kLossBytes * steps +
         kFloat * update.minibatch * (inputs + action + outputs + kPerRow);
}

// See RowSampler.
double sample_bytes(const Config& config, const EnvironmentSpec& environment) {
  if (!config.run.tensorboard || config.run.diagnostics_every == 0) return 0.0;
  std::int64_t widest = environment.observation_size;
  for (const std::int64_t width : config.network.hidden) widest = std::max(widest, width);
  const auto rows = static_cast<double>(kSampleRows);
  return kIndex * (rows + 1) + kFloat * rows * static_cast<double>(widest);
}

double batch_bytes(const Config& config, const EnvironmentSpec& environment,
                   const UpdateRows& update) {
  const auto widths =
      static_cast<double>(environment.observation_size + environment.action.width());
  constexpr double kPerRow = 3;  // rewards, returns, advantages
  const double shift = config.hidden.loss.guided ? 1 : 0;
  const auto episodes = static_cast<double>(row_bucket(config.algorithm.episodes_per_update));
  const auto landmarks = static_cast<double>(config.hidden.loss.pairs.landmarks);
  return kFloat * update.capacity * (widths + kPerRow + shift) + kIndex * (episodes + landmarks) +
         episodes + ppo_bytes(config, environment, update) + sample_bytes(config, environment);
}

// What was played, on the host, in vectors that double as they grow: the steps with their ends'
// observations, and for REINFORCE a second time as the batch made of the episodes.
double rollout_host_bytes(const Config& config, const EnvironmentSpec& environment, double rows) {
  constexpr double kGrowth = 2;
  const bool ppo = config.algorithm.name == AlgorithmName::kPpo;
  const auto observation = static_cast<double>(environment.observation_size);
  const auto action = static_cast<double>(environment.action.width());
  const auto outputs = static_cast<double>(environment.action.size);
  const double widths =
      ppo ? 2 * observation + action + outputs + 2 : 2 * (observation + action + 1);
  return kGrowth * kFloat * rows * widths;
}

double environment_bytes(const Config& config, const EnvironmentSpec& environment) {
  const bool mujoco = !environment.model.empty();
  constexpr double kRowBytes = 64;  // observations before and after, as float64 and float32
  return static_cast<double>(config.env.count) *
         ((mujoco ? kMujocoBytes : kInstanceBytes) +
          kRowBytes * static_cast<double>(environment.observation_size));
}

std::int64_t steps_per_episode(const Config& config, const EnvironmentSpec& environment) {
  return config.env.max_episode_steps > 0 ? config.env.max_episode_steps
                                          : environment.max_episode_steps;
}

// Environments of its own, and whole episodes in them.
double evaluation_bytes(const Config& config, const EnvironmentSpec& environment) {
  const double rows = static_cast<double>(config.run.eval_episodes) *
                      static_cast<double>(steps_per_episode(config, environment));
  return environment_bytes(config, environment) + rollout_host_bytes(config, environment, rows);
}

double pair_bytes(const Config& config, const EnvironmentSpec& environment,
                  const UpdateRows& update, std::int64_t threads) {
  const bool learns = config.hidden.method == HiddenMethod::kLpdm;
  if (!learns && config.run.diagnostics_every == 0) return 0.0;
  const bool episodes = config.hidden.loss.block == LossBlock::kEpisode;
  const auto groups = static_cast<double>(episodes ? config.algorithm.episodes_per_update : 1);
  const cpu::PairwiseWork work{
      .rows = update.local,
      .groups = groups,
      .input = environment.observation_size,
      .outputs = config.network.hidden,
      .loss = config.hidden.loss,
      .gradient = learns,
      .tanh = config.network.activation == Activation::kTanh,
      .fixed = cpu_arithmetic(config.backend.arithmetic) == Arithmetic::kFixed,
      .threads = threads};
  const double bytes = cpu::pairwise_scratch_bytes(work);
  const bool followed = config.env.count == 1 && update.minibatch == 0.0 && threads > 1;
  if (!followed || !begins_early(config.hidden)) return bytes;
  // Rows that are followed have room for a whole bucket, as far as it can be kept. Longer batches
  // are worked out by others, beside the follower.
  cpu::PairwiseWork kept = work;
  kept.rows = std::min(update.capacity, cpu::most_followed_rows(work));
  if (kept.rows == 0.0) return bytes;
  const double of_follower = cpu::pairwise_scratch_bytes(kept);
  return update.local <= kept.rows ? of_follower : bytes + of_follower;
}

std::string remedy(const MemoryPlan& plan, const Config& config) {
  const std::string& largest = plan.largest().name;
  if (largest == kParameters || largest == "checkpoint") return "make network.hidden narrower";
  if (largest == "environments") return "lower env.count";
  if (largest == "program") return "lower run.threads or free memory";
  const std::string shorter = config.algorithm.name == AlgorithmName::kPpo
                                  ? "lower algorithm.ppo.horizon or env.count"
                                  : "lower algorithm.episodes_per_update or env.max_episode_steps";
  return largest == kPairs ? shorter + ", or set hidden.pairs=landmarks:64" : shorter;
}

}  // namespace

std::int64_t rows_per_update(const Config& config, const EnvironmentSpec& environment) {
  if (config.algorithm.name == AlgorithmName::kPpo) {
    return config.algorithm.ppo.horizon * config.env.count;
  }
  return config.algorithm.episodes_per_update * steps_per_episode(config, environment);
}

MemoryPlan plan_memory(const Config& config) {
  return plan_memory(config, make_environment(config.env.id, config.env.options)->spec());
}

MemoryPlan plan_memory(const Config& config, const EnvironmentSpec& environment) {
  MemoryPlan plan{.rows = rows_per_update(config, environment), .parts = {}, .remedy = {}};
  const UpdateRows update = update_rows(config, plan.rows);
  const std::int64_t threads = config.run.threads > 0 ? config.run.threads : hardware_threads();
  const std::vector<LayerSize> layers = layer_sizes(config, environment);
  const auto add = [&plan](const char* name, double bytes, bool in_backend) {
    constexpr double kMost = 1e18;  // keeps the sum of all parts within 64 bits
    plan.parts.push_back(
        {name, static_cast<std::int64_t>(std::ceil(std::min(bytes, kMost))), in_backend});
  };
  add(kParameters, parameter_bytes(layers), true);
  add("rollouts", rollout_bytes(layers, config), true);
  add("batch", batch_bytes(config, environment, update), true);
  add("activations", activation_bytes(layers, update), true);
  add(kPairs, pair_bytes(config, environment, update, threads), true);
  add("episodes", rollout_host_bytes(config, environment, update.rows), false);
  add("environments", environment_bytes(config, environment), false);
  if (config.run.eval_every > 0) {
    add("evaluation", evaluation_bytes(config, environment), false);
  }
  add("checkpoint", checkpoint_bytes(layers), false);
  add("program", kProgramBytes + kThreadBytes * static_cast<double>(threads), false);
  plan.remedy = remedy(plan, config);
  return plan;
}

}  // namespace lpdm
