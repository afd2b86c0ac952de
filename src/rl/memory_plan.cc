#include "lpdm/memory_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cpu/pairwise_memory.h"
#include "lpdm/error.h"
#include "lpdm/ops.h"
#include "lpdm/thread_pool.h"
#include "nn/activations.h"

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

// The network's layers: hidden ones, then the head.
std::vector<LayerSize> layer_sizes(const Config& config, const EnvironmentSpec& environment) {
  std::vector<LayerSize> layers;
  auto in = static_cast<double>(environment.observation_size);
  const auto add = [&](std::int64_t out) {
    layers.push_back({in, static_cast<double>(out)});
    in = static_cast<double>(out);
  };
  for (const std::int64_t width : config.network.hidden) add(width);
  add(environment.action.size);
  return layers;
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

// Outputs and deltas. While they grow, one of them exists in its old size too.
double activation_bytes(const std::vector<LayerSize>& layers, double capacity) {
  double widest = 0.0;
  for (const LayerSize& layer : layers) widest = std::max(widest, layer.out);
  const double widths = sum_of(layers, [](const LayerSize& layer) { return layer.out; });
  return kFloat * capacity * (2 * widths + widest / 2);
}

double batch_bytes(const Config& config, const EnvironmentSpec& environment, double capacity) {
  const auto widths =
      static_cast<double>(environment.observation_size + environment.action.width());
  constexpr double kRewardsAndReturns = 2;
  const double shift = config.hidden.loss.guided ? 1 : 0;
  const auto episodes = static_cast<double>(row_bucket(config.algorithm.episodes_per_update));
  const auto landmarks = static_cast<double>(config.hidden.loss.pairs.landmarks);
  return kFloat * capacity * (widths + kRewardsAndReturns + shift) +
         kIndex * (episodes + landmarks);
}

// The episodes as they were played and the batch made of them, in vectors that double as they grow.
double episode_bytes(const EnvironmentSpec& environment, double rows) {
  constexpr double kCopies = 2 * 2;
  const auto widths =
      static_cast<double>(environment.observation_size + environment.action.width() + 1);
  return kCopies * kFloat * rows * widths;
}

double environment_bytes(const Config& config, const EnvironmentSpec& environment) {
  const bool mujoco = !environment.model.empty();
  constexpr double kRowBytes = 64;  // observations before and after, as float64 and float32
  return static_cast<double>(config.env.count) *
         ((mujoco ? kMujocoBytes : kInstanceBytes) +
          kRowBytes * static_cast<double>(environment.observation_size));
}

double pair_bytes(const Config& config, const EnvironmentSpec& environment, double rows,
                  std::int64_t threads) {
  const bool learns = config.hidden.method == HiddenMethod::kLpdm;
  if (!learns && config.run.diagnostics_every == 0) return 0.0;
  const bool episodes = config.hidden.loss.block == LossBlock::kEpisode;
  const auto groups = static_cast<double>(episodes ? config.algorithm.episodes_per_update : 1);
  return cpu::pairwise_scratch_bytes({.rows = rows,
                                      .groups = groups,
                                      .input = environment.observation_size,
                                      .outputs = config.network.hidden,
                                      .loss = config.hidden.loss,
                                      .gradient = learns,
                                      .threads = threads});
}

const MemoryPart& largest_part(const MemoryPlan& plan) {
  return *std::ranges::max_element(plan.parts, {}, &MemoryPart::bytes);
}

std::string advice(const MemoryPlan& plan) {
  const std::string& largest = largest_part(plan).name;
  if (largest == kParameters || largest == "checkpoint") return "make network.hidden narrower";
  if (largest == "environments") return "lower env.count";
  if (largest == "program") return "lower run.threads or free memory";
  const std::string shorter = "lower algorithm.episodes_per_update or env.max_episode_steps";
  return largest == kPairs ? shorter + ", or set hidden.pairs=landmarks:64" : shorter;
}

}  // namespace

std::int64_t MemoryPlan::total() const {
  std::int64_t sum = 0;
  for (const MemoryPart& part : parts) sum += part.bytes;
  return sum;
}

std::int64_t MemoryPlan::in_backend() const {
  std::int64_t sum = 0;
  for (const MemoryPart& part : parts) sum += part.in_backend ? part.bytes : 0;
  return sum;
}

std::string MemoryPlan::text() const {
  std::string list;
  for (const MemoryPart& part : parts) {
    list += fmt::format("{}{} {}", list.empty() ? "" : ", ", part.name, bytes_text(part.bytes));
  }
  return fmt::format("at most {} for updates of up to {} rows ({})", bytes_text(total()), rows,
                     list);
}

std::int64_t rows_per_update(const Config& config, const EnvironmentSpec& environment) {
  const std::int64_t steps = config.env.max_episode_steps > 0 ? config.env.max_episode_steps
                                                              : environment.max_episode_steps;
  return config.algorithm.episodes_per_update * steps;
}

MemoryPlan plan_memory(const Config& config) {
  return plan_memory(config, make_environment(config.env.id, config.env.options)->spec());
}

MemoryPlan plan_memory(const Config& config, const EnvironmentSpec& environment) {
  MemoryPlan plan{.rows = rows_per_update(config, environment), .parts = {}};
  const auto rows = static_cast<double>(plan.rows);
  const auto capacity = static_cast<double>(row_bucket(plan.rows));
  const std::int64_t threads = config.run.threads > 0 ? config.run.threads : hardware_threads();
  const std::vector<LayerSize> layers = layer_sizes(config, environment);
  const auto add = [&plan](const char* name, double bytes, bool in_backend) {
    constexpr double kMost = 1e18;  // keeps the sum of all parts within 64 bits
    plan.parts.push_back(
        {name, static_cast<std::int64_t>(std::ceil(std::min(bytes, kMost))), in_backend});
  };
  add(kParameters, parameter_bytes(layers), true);
  add("rollouts", rollout_bytes(layers, config), true);
  add("batch", batch_bytes(config, environment, capacity), true);
  add("activations", activation_bytes(layers, capacity), true);
  add(kPairs, pair_bytes(config, environment, rows, threads), true);
  add("episodes", episode_bytes(environment, rows), false);
  add("environments", environment_bytes(config, environment), false);
  add("checkpoint", checkpoint_bytes(layers), false);
  add("program", kProgramBytes + kThreadBytes * static_cast<double>(threads), false);
  return plan;
}

void require_memory(const MemoryPlan& plan, std::int64_t available) {
  if (plan.total() <= available) return;
  const MemoryPart& largest = largest_part(plan);
  throw UsageError(fmt::format(
      "the run may need {} of memory, {} of it for {} with updates of up to {} rows, but only {} "
      "are available; {}",
      bytes_text(plan.total()), bytes_text(largest.bytes), largest.name, plan.rows,
      bytes_text(available), advice(plan)));
}

std::string bytes_text(std::int64_t bytes) {
  const auto value = static_cast<double>(bytes);
  return value < 1e9 ? fmt::format("{:.1f} MB", value / 1e6)
                     : fmt::format("{:.1f} GB", value / 1e9);
}

}  // namespace lpdm
