#include "rl/rollout_policy.h"

#include <algorithm>
#include <cmath>

#include "rl/action_sampler.h"

namespace lpdm {

namespace {

// Below so many environments a step's way to the GPU and back, some 30 µs, takes longer than the
// host with a network of the paper's size (an estimate).
constexpr std::int64_t kFewEnvironments = 32;

bool infers_on_host(const Config& config) {
  if (config.rollout.inference != InferencePlace::kAuto) {
    return config.rollout.inference == InferencePlace::kHost;
  }
  return config.env.count < kFewEnvironments;
}

}  // namespace

RolloutPolicy::RolloutPolicy(Backend& backend, Network& network, const ActionSpace& action,
                             const Config& config, std::int64_t max_rows, bool beside_pool)
    : backend_(choose_backend(backend, config, beside_pool)),
      inference_(backend_, choose_network(network)),
      action_(action),
      log_std_(network.log_std()),
      std_(static_cast<std::size_t>(action.size),
           config.policy.std.value_or(config.policy.initial_std)),
      seed_(config.run.seed),
      observation_size_(network.shape().input),
      input_(backend_, max_rows * observation_size_),
      output_(backend_, max_rows * network.shape().output) {}

// Only the CPU backend computes on the pool; another one without it reads the same memory.
Backend& RolloutPolicy::choose_backend(Backend& backend, const Config& config, bool beside_pool) {
  const bool on_host = backend.name() == "cpu";
  if (on_host ? !beside_pool : !infers_on_host(config)) return backend;
  own_backend_ = make_cpu_backend(caller_);
  shares_memory_ = on_host;
  return *own_backend_;
}

Network& RolloutPolicy::choose_network(Network& network) {
  if (own_backend_ == nullptr || shares_memory_) return network;
  learner_ = &network;
  NetworkShape shape = network.shape();
  shape.value_head = false;
  shape.learned_std = false;
  copy_.emplace(*own_backend_, shape);
  return *copy_;
}

void RolloutPolicy::refresh() {
  for (std::size_t l = 0; copy_ && l < copy_->layers().size(); ++l) {
    copy_->layers()[l].set_values(learner_->layers()[l].values());
  }
  inference_.refresh();
  if (log_std_ == nullptr) return;
  const std::vector<float> log_std = log_std_->values();
  for (std::size_t d = 0; d < std_.size(); ++d) std_[d] = std::exp(log_std[d]);
}

void RolloutPolicy::run(std::span<const float> observations, std::span<float> outputs) {
  input_.write(observations);
  inference_.run(static_cast<std::int64_t>(observations.size()) / observation_size_, input_.data(),
                 output_.data());
  output_.read(outputs);
}

bool RolloutPolicy::fills_rows() const { return backend_.name() == "cpu" && !copy_; }

void RolloutPolicy::run(std::span<const float> observation, std::span<float> output,
                        RolloutRows& rows) {
  const RolloutRows::Row row = rows.next();
  std::ranges::copy(observation, row.observation);
  inference_.run(1, row.observation, row.output, row.hidden);
  std::copy_n(row.output, output.size(), output.begin());
  rows.add();
}

void RolloutPolicy::sample(std::span<const float> head, const StreamId& stream,
                           std::span<float> action) const {
  sample_action(action_, std_, head, RandomStream(seed_, stream), action);
}

void RolloutPolicy::most_likely(std::span<const float> head, std::span<float> action) const {
  most_likely_action(action_, head, action);
}

}  // namespace lpdm
