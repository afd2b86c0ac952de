// Every setting of a run as plain types. src/io/config_schema.cc holds the one table that gives
// each key its meaning, default, range and parser; these members' initialisers are those defaults.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lpdm/environment.h"

namespace lpdm {

enum class Activation { kTanh, kRelu, kIdentity };  // identity: heads only
enum class Initialization { kTorch, kOrthogonal };
enum class InitLayers { kAll, kHidden };
enum class HiddenMethod { kLpdm, kBackprop, kFrozen };
enum class Metric { kL1, kL2 };
enum class LossScale { kOwn, kCross, kNone };
enum class LossNorm { kFrobenius, kSquared };
enum class MaxGradient { kThrough, kConstant };
enum class GuideBase { kNormalized, kRaw };
enum class Halves { kAuto, kOn, kOff };
enum class SparsePairs { kNone, kClosest, kFurthest, kClosestFurthest };
enum class TargetRule { kInput, kErrorPropagation };
enum class ErrorRule { kOnePlus, kProduct };
enum class LossBlock { kBatch, kEpisode };
enum class AlgorithmName { kReinforce, kReinforceBaseline, kPpo };
enum class AdvantageRule { kReturn, kTd, kGae };
enum class LocalBatch { kMinibatch, kBuffer };
enum class RateSchedule { kConstant, kLinear };
// In what numbers a GPU adds up pairwise distances (docs/cuda.md); auto: what suits the GPU.
enum class Arithmetic { kAuto, kFp32, kFixed, kHalf2 };
// Where the actions of a rollout are computed when updates are computed on a GPU.
enum class InferencePlace { kAuto, kHost, kDevice };

struct EnvConfig {
  std::string id = "CartPole-v1";      // with env.definition: "mjcf:" and its path
  std::int64_t count = 1;              // environments stepped together
  std::int64_t max_episode_steps = 0;  // 0: the environment's own limit
  EnvironmentOptions options;          // Gymnasium's arguments that differ from their defaults
  bool normalize_observations = false;
  bool normalize_rewards = false;
  bool operator==(const EnvConfig&) const = default;
};

// Proximal policy optimisation (paper section 4.2).
struct PpoConfig {
  std::int64_t horizon = 2048;  // steps of each environment per iteration
  std::int64_t epochs = 4;
  std::int64_t minibatch = 64;  // rows
  double clip = 0.2;
  double kl_weight = 0.0;
  double kl_stop = 0.0;     // 0: off
  double value_clip = 0.0;  // 0: off
  AdvantageRule advantage = AdvantageRule::kReturn;
  double gae_lambda = 0.95;
  bool normalize_advantages = true;
  double entropy_weight = 0.0;
  bool operator==(const PpoConfig&) const = default;
};

struct AlgorithmConfig {
  AlgorithmName name = AlgorithmName::kReinforce;
  double discount = 0.99;
  std::int64_t episodes_per_update = 1;
  bool normalize_returns = true;
  PpoConfig ppo;

  bool has_value_head() const { return name != AlgorithmName::kReinforce; }
  bool operator==(const AlgorithmConfig&) const = default;
};

struct NetworkConfig {
  std::vector<std::int64_t> hidden = {128, 256};
  Activation activation = Activation::kTanh;
  Initialization init = Initialization::kTorch;
  std::string init_from;  // run whose layers `lpdm train` starts with (src/io/transfer.h); "": none
  InitLayers init_layers = InitLayers::kAll;  // those of init_from that are taken
  bool operator==(const NetworkConfig&) const = default;
};

// Which pairs of rows enter the local loss (paper section 3 and appendix; landmarks and low rank:
// docs/method.md).
struct PairSelection {
  std::int64_t landmarks = 0;               // 0: all pairs
  SparsePairs sparse = SparsePairs::kNone;  // instead of landmarks
  std::int64_t low_rank = 0;                // all pairs, their distances by so many terms; 0: exact
  bool operator==(const PairSelection&) const = default;
};

// The local loss of the hidden layers (paper sections 3 and 4, variants in its appendix).
struct LocalLossConfig {
  bool guided = false;
  Metric metric = Metric::kL1;
  LossScale scale = LossScale::kOwn;
  LossNorm norm = LossNorm::kFrobenius;
  MaxGradient max_gradient = MaxGradient::kThrough;
  GuideBase guide_base = GuideBase::kNormalized;
  PairSelection pairs;
  TargetRule target = TargetRule::kInput;
  ErrorRule error_rule = ErrorRule::kOnePlus;  // error propagation only
  LossBlock block = LossBlock::kBatch;         // rows whose pairs are kept
  bool operator==(const LocalLossConfig&) const = default;
};

// One rate for all hidden layers, one each, or "scaled:x": x times the distance to the head.
struct LayerRates {
  std::vector<double> values = {1e-3};  // one value, or one per layer
  bool scaled = false;

  // The rate of hidden layer `layer` of `layers`, counted from the input.
  double rate(std::int64_t layer, std::int64_t layers) const;
  bool operator==(const LayerRates&) const = default;
};

struct HiddenConfig {
  HiddenMethod method = HiddenMethod::kLpdm;
  LocalLossConfig loss;
  LocalBatch batch = LocalBatch::kMinibatch;  // PPO only
  LayerRates learning_rate;
  double grad_clip = 0.5;      // 0: off
  std::int64_t memory_mb = 0;  // that a GPU may use to keep distances between its passes

  // PPO: whether the layers stand still while the mini-batches of an epoch are learnt from.
  bool stays_within_epoch() const {
    return method == HiddenMethod::kFrozen ||
           (method == HiddenMethod::kLpdm && batch == LocalBatch::kBuffer);
  }
  bool operator==(const HiddenConfig&) const = default;
};

struct HeadConfig {
  double learning_rate = 1e-3;
  double grad_clip = 0.5;  // 0: off
  bool operator==(const HeadConfig&) const = default;
};

// The value head of actor-critic algorithms.
struct ValueConfig {
  double learning_rate = 3e-3;
  std::int64_t steps = 10;  // per REINFORCE batch
  double weight = 0.5;      // of the value loss in the shared layers under backprop
  bool operator==(const ValueConfig&) const = default;
};

struct ScheduleConfig {
  RateSchedule learning_rate = RateSchedule::kConstant;

  // What all learning rates are multiplied with in an iteration (from 0) of `iterations`.
  double factor(std::int64_t iteration, std::int64_t iterations) const;
  bool operator==(const ScheduleConfig&) const = default;
};

// Gaussian policies only.
struct PolicyConfig {
  std::optional<double> std = 0.5;  // none: learned, one per dimension of the action
  double initial_std = 1.0;         // where the learning starts
  bool operator==(const PolicyConfig&) const = default;
};

struct RolloutConfig {
  Halves halves = Halves::kAuto;  // choose actions for one half while the other is stepped
  InferencePlace inference = InferencePlace::kAuto;
  bool operator==(const RolloutConfig&) const = default;
};

struct BackendConfig {
  Arithmetic arithmetic = Arithmetic::kFp32;
  bool operator==(const BackendConfig&) const = default;
};

struct RunConfig {
  std::int64_t iterations = 1500;
  std::uint64_t seed = 0;
  std::string device = "auto";          // auto | cpu | cuda
  std::int64_t threads = 0;             // 0: as many as the hardware offers
  std::int64_t checkpoint_every = 100;  // iterations between checkpoints; 0: only at the end
  std::int64_t keep_checkpoints = 3;    // the newest ones; the best is kept beside them
  std::int64_t log_every = 50;          // iterations between plain progress lines
  std::int64_t diagnostics_every = 10;  // iterations between per-layer diagnostics; 0: never
  std::int64_t eval_every = 0;          // iterations between evaluations; 0: never
  std::int64_t eval_episodes = 10;
  std::optional<double> stop_return;  // mean return that ends the run; none: never
  bool tensorboard = true;            // event files in the run folder
  bool operator==(const RunConfig&) const = default;
};

struct Config {
  EnvConfig env;
  AlgorithmConfig algorithm;
  NetworkConfig network;
  HiddenConfig hidden;
  HeadConfig head;
  ValueConfig value;
  PolicyConfig policy;
  ScheduleConfig schedule;
  RolloutConfig rollout;
  BackendConfig backend;
  RunConfig run;
  bool operator==(const Config&) const = default;
};

// Reads a config file: JSON, comments allowed. Each override "key.path=value" replaces one value,
// or a whole section; its value is read as JSON, and as a string where it is not. Throws UsageError
// naming the file or --set, the key, what was given, what was expected and the nearest valid
// choice.
Config load_config(const std::filesystem::path& path, std::span<const std::string> overrides = {});
Config parse_config(std::string_view text, std::span<const std::string> overrides = {});

// Every key with its value, as JSON that parse_config turns into an equal Config.
std::string dump_config(const Config& config);

// One key as documentation, with its default and its value in `config` as JSON.
struct ConfigEntry {
  std::string key;
  std::string type;
  std::string allowed;
  std::string meaning;
  std::string default_value;
  std::string value;
};
std::vector<ConfigEntry> describe_config(const Config& config);

}  // namespace lpdm
