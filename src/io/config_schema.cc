#include "io/config_schema.h"

#include <cstdint>
#include <utility>

#include "io/config_kinds.h"
#include "io/config_special_kinds.h"

namespace lpdm {
namespace {

using Table = std::vector<Setting>;

// The upper limits catch slips of the keyboard and keep products within 64 bits (StreamId: 32).
constexpr std::int64_t kMaxCount = 1'000'000;
constexpr std::int64_t kMaxSteps = 1'000'000'000;
constexpr std::int64_t kMaxWidth = 65'536;
constexpr std::size_t kMaxLayers = 64;
constexpr std::int64_t kMaxThreads = 1024;
constexpr double kMaxRate = 1000.0;
constexpr double kMaxClip = 1e6;
constexpr double kMaxReturn = 1e12;
constexpr double kMinStd = 1e-6;  // its square and their ratio stay normal in float32
constexpr double kMaxStd = 1e6;

// Adds the settings that are members of one struct within Config. `get` returns that struct, const
// or not as its argument is.
template <class Get>
class Section {
 public:
  Section(Table& table, std::string name, Get get)
      : table_(table), name_(std::move(name)), get_(get) {}

  template <class Group, class T>
  void add(const std::string& name, T Group::*member, const Kind<T>& kind, std::string meaning) {
    const std::string key = name_ + "." + name;
    table_.push_back({key, kind.type, kind.allowed, std::move(meaning),
                      [get = get_, member, read = kind.read, key](const Json& value, Config& out) {
                        get(out).*member = read({key, value, out});
                      },
                      [get = get_, member, write = kind.write](const Config& config) {
                        return write(get(config).*member, config);
                      }});
  }

 private:
  Table& table_;
  std::string name_;
  Get get_;
};

void add_env(Table& table) {
  Section env(
      table, "env", [](auto& c) -> auto& { return c.env; });
  env.add("id", &EnvConfig::id, environment_id(), "environment to learn");
  env.add("definition", &EnvConfig::id, environment_definition(),
          "JSON file that describes the custom environment mjcf, see docs/custom-environments.md");
  env.add("count", &EnvConfig::count, integer(1, kMaxCount), "environments stepped together");
  env.add("max_episode_steps", &EnvConfig::max_episode_steps, integer(0, kMaxSteps),
          "steps after which an episode is truncated; 0: the environment's own limit");
  env.add("options", &EnvConfig::options, environment_options(),
          "Gymnasium's arguments of the environment, as env.options.NAME");
  env.add(
      "normalize_observations", &EnvConfig::normalize_observations, boolean(),
      "shift and scale observations by the mean and standard deviation of all before the batch");
  env.add("normalize_rewards", &EnvConfig::normalize_rewards, boolean(),
          "divide rewards by the standard deviation of the discounted returns before the batch");
}

void add_algorithm(Table& table) {
  Section algorithm(
      table, "algorithm", [](auto& c) -> auto& { return c.algorithm; });
  algorithm.add("name", &AlgorithmConfig::name,
                choice<AlgorithmName>({{"reinforce", AlgorithmName::kReinforce},
                                       {"reinforce_baseline", AlgorithmName::kReinforceBaseline},
                                       {"ppo", AlgorithmName::kPpo}}),
                "how the policy is improved: by whole episodes, without or with a learned "
                "baseline, or by proximal policy optimisation");
  algorithm.add("discount", &AlgorithmConfig::discount, number(0.0, 1.0),
                "discount of the return per step");
  algorithm.add("episodes_per_update", &AlgorithmConfig::episodes_per_update, integer(1, kMaxCount),
                "whole episodes that form one batch");
  algorithm.add("normalize_returns", &AlgorithmConfig::normalize_returns, boolean(),
                "shift and scale a batch's returns to mean 0 and standard deviation 1");
}

void add_ppo(Table& table) {
  Section ppo(
      table, "algorithm.ppo", [](auto& c) -> auto& { return c.algorithm.ppo; });
  ppo.add("horizon", &PpoConfig::horizon, integer(1, kMaxCount),
          "steps of each environment per iteration");
  ppo.add("epochs", &PpoConfig::epochs, integer(1, kMaxCount), "passes over an iteration's steps");
  ppo.add("minibatch", &PpoConfig::minibatch, integer(1, kMaxSteps), "rows per gradient step");
  ppo.add("clip", &PpoConfig::clip, number(0.0, kMaxRate),
          "largest change of an action's probability ratio that is still rewarded");
  ppo.add("kl_weight", &PpoConfig::kl_weight, number(0.0, kMaxRate),
          "weight of the divergence from the policy that collected the steps");
  ppo.add("kl_stop", &PpoConfig::kl_stop, number(0.0, kMaxRate),
          "mean divergence over an epoch after which no further epoch follows [nat]; 0: off");
  ppo.add("value_clip", &PpoConfig::value_clip, number(0.0, kMaxClip),
          "change of a value beyond which its loss is held back [return]; 0: off");
  ppo.add("advantage", &PpoConfig::advantage,
          choice<AdvantageRule>({{"return", AdvantageRule::kReturn},
                                 {"td", AdvantageRule::kTd},
                                 {"gae", AdvantageRule::kGae}}),
          "return minus value, one-step temporal difference, or GAE");
  ppo.add("gae_lambda", &PpoConfig::gae_lambda, number(0.0, 1.0),
          "GAE's weight of later temporal differences");
  ppo.add("normalize_advantages", &PpoConfig::normalize_advantages, boolean(),
          "shift and scale a mini-batch's advantages to mean 0 and standard deviation 1");
  ppo.add("entropy_weight", &PpoConfig::entropy_weight, number(0.0, kMaxRate),
          "weight of the policy's entropy as a bonus");
}

void add_network(Table& table) {
  Section network(
      table, "network", [](auto& c) -> auto& { return c.network; });
  network.add("hidden", &NetworkConfig::hidden, integers(1, kMaxLayers, 1, kMaxWidth),
              "widths of the hidden layers, from the input to the head");
  network.add("activation", &NetworkConfig::activation,
              choice<Activation>({{"tanh", Activation::kTanh}, {"relu", Activation::kRelu}}),
              "activation of the hidden layers");
  network.add("init", &NetworkConfig::init,
              choice<Initialization>(
                  {{"torch", Initialization::kTorch}, {"orthogonal", Initialization::kOrthogonal}}),
              "initial weights; torch: uniform within 1/sqrt(fan-in) of 0");
  network.add("init_from", &NetworkConfig::init_from, run_folder_path(),
              "run whose layers lpdm train starts with, where name, shape and activation fit");
  network.add("init_layers", &NetworkConfig::init_layers,
              choice<InitLayers>({{"all", InitLayers::kAll}, {"hidden", InitLayers::kHidden}}),
              "layers of init_from that are taken; hidden: heads stay fresh");
}

void add_local_loss(Table& table) {
  Section loss(
      table, "hidden", [](auto& c) -> auto& { return c.hidden.loss; });
  loss.add("guided", &LocalLossConfig::guided, boolean(),
           "push rows of low return apart in the target (section 4)");
  loss.add("metric", &LocalLossConfig::metric,
           choice<Metric>({{"l1", Metric::kL1}, {"l2", Metric::kL2}}),
           "distance between two rows (section 3)");
  loss.add(
      "scale", &LocalLossConfig::scale,
      choice<LossScale>(
          {{"own", LossScale::kOwn}, {"cross", LossScale::kCross}, {"none", LossScale::kNone}}),
      "divide each distance matrix by its own width, the other's, or neither (section 3)");
  loss.add("norm", &LocalLossConfig::norm,
           choice<LossNorm>({{"frobenius", LossNorm::kFrobenius}, {"squared", LossNorm::kSquared}}),
           "norm of the difference of the distance matrices (section 3)");
  loss.add("max_gradient", &LocalLossConfig::max_gradient,
           choice<MaxGradient>(
               {{"through", MaxGradient::kThrough}, {"constant", MaxGradient::kConstant}}),
           "whether the gradient passes through the largest distance, the normaliser");
  loss.add("guide_base", &LocalLossConfig::guide_base,
           choice<GuideBase>({{"normalized", GuideBase::kNormalized}, {"raw", GuideBase::kRaw}}),
           "input distances that the guidance is added to: over their largest, or as they are");
  loss.add(
      "pairs", &LocalLossConfig::pairs, pair_selection(),
      "pairs that enter the loss: all, those with one of M random rows, all by cosine series of "
      "R terms, or each row's nearest and/or furthest (appendix)");
  loss.add("target", &LocalLossConfig::target, target_rule(),
           "what a layer's distances are to match: the input's, or those of the previous layer's "
           "input, enlarged where that layer failed (appendix)");
  loss.add("error_rule", &LocalLossConfig::error_rule,
           choice<ErrorRule>({{"one_plus", ErrorRule::kOnePlus}, {"product", ErrorRule::kProduct}}),
           "what enlarges them under error_propagation: 1 plus the relative error, or it alone");
  loss.add("block", &LocalLossConfig::block, loss_block(),
           "rows that form pairs with each other: those of the whole batch, or of an episode");
}

void add_hidden(Table& table) {
  Section hidden(
      table, "hidden", [](auto& c) -> auto& { return c.hidden; });
  hidden.add("method", &HiddenConfig::method,
             choice<HiddenMethod>({{"lpdm", HiddenMethod::kLpdm},
                                   {"backprop", HiddenMethod::kBackprop},
                                   {"frozen", HiddenMethod::kFrozen}}),
             "what trains the hidden layers: the local loss (section 3), backpropagation, nothing");
  add_local_loss(table);
  hidden.add(
      "batch", &HiddenConfig::batch,
      choice<LocalBatch>({{"minibatch", LocalBatch::kMinibatch}, {"buffer", LocalBatch::kBuffer}}),
      "rows of a local update under ppo: each mini-batch, or once per epoch all steps of "
      "the iteration");
  hidden.add("learning_rate", &HiddenConfig::learning_rate, layer_rates(kMaxRate),
             "Adam's step size; scaled: x times the layer's distance to the head (appendix)");
  hidden.add("grad_clip", &HiddenConfig::grad_clip, number(0.0, kMaxClip),
             "largest norm of a layer's gradient; 0: off");
  hidden.add("memory_mb", &HiddenConfig::memory_mb, integer(0, kMaxCount),
             "memory of the GPU that the local loss may use to keep distances between its passes "
             "[MB]; 0: half of what its L2 cache holds");
}

void add_head(Table& table) {
  Section head(
      table, "head", [](auto& c) -> auto& { return c.head; });
  head.add("learning_rate", &HeadConfig::learning_rate, number(0.0, kMaxRate),
           "Adam's step size of the policy head");
  head.add("grad_clip", &HeadConfig::grad_clip, number(0.0, kMaxClip),
           "largest norm of the head's gradient; 0: off");
}

void add_value(Table& table) {
  Section value(
      table, "value", [](auto& c) -> auto& { return c.value; });
  value.add("learning_rate", &ValueConfig::learning_rate, number(0.0, kMaxRate),
            "Adam's step size of the value head");
  value.add("steps", &ValueConfig::steps, integer(1, kMaxCount),
            "steps of the value head per batch of reinforce_baseline");
  value.add("weight", &ValueConfig::weight, number(0.0, kMaxRate),
            "weight of the value loss in the layers that backprop shares with the policy");
}

void add_policy(Table& table) {
  Section policy(
      table, "policy", [](auto& c) -> auto& { return c.policy; });
  policy.add("std", &PolicyConfig::std, number_or("learned", kMinStd, kMaxStd),
             "standard deviation of each action of a Gaussian policy [the action's unit]");
  policy.add("initial_std", &PolicyConfig::initial_std, number(kMinStd, kMaxStd),
             "where a learned standard deviation starts");
}

void add_schedule(Table& table) {
  Section schedule(
      table, "schedule", [](auto& c) -> auto& { return c.schedule; });
  schedule.add("learning_rate", &ScheduleConfig::learning_rate,
               choice<RateSchedule>(
                   {{"constant", RateSchedule::kConstant}, {"linear", RateSchedule::kLinear}}),
               "course of all learning rates; linear: to 0 at run.iterations, also where a "
               "continued run has moved them");
}

void add_rollout(Table& table) {
  Section rollout(
      table, "rollout", [](auto& c) -> auto& { return c.rollout; });
  rollout.add("halves", &RolloutConfig::halves,
              choice<Halves>({{"auto", Halves::kAuto}, {"on", Halves::kOn}, {"off", Halves::kOff}}),
              "choose the actions of one half of the environments while the other is stepped; the "
              "results are the same");
  rollout.add("inference", &RolloutConfig::inference,
              choice<InferencePlace>({{"auto", InferencePlace::kAuto},
                                      {"host", InferencePlace::kHost},
                                      {"device", InferencePlace::kDevice}}),
              "where the actions are computed with run.device cuda; auto: on the host for few "
              "environments");
}

void add_backend(Table& table) {
  Section backend(
      table, "backend", [](auto& c) -> auto& { return c.backend; });
  backend.add("arithmetic", &BackendConfig::arithmetic,
              choice<Arithmetic>({{"fp32", Arithmetic::kFp32},
                                  {"fixed", Arithmetic::kFixed},
                                  {"half2", Arithmetic::kHalf2},
                                  {"auto", Arithmetic::kAuto}}),
              "numbers in which the outputs' pairwise distances are added up (docs/cuda.md, "
              "docs/performance.md); the CPU has fp32 and fixed; auto: by the GPU's architecture");
}

void add_run(Table& table) {
  Section run(
      table, "run", [](auto& c) -> auto& { return c.run; });
  run.add("iterations", &RunConfig::iterations, integer(1, kMaxSteps), "updates to make");
  run.add("seed", &RunConfig::seed, seed(), "seed of everything random");
  run.add("device", &RunConfig::device, word({"auto", "cpu", "cuda"}),
          "where updates are computed");
  run.add("threads", &RunConfig::threads, integer(0, kMaxThreads),
          "host threads; 0: as many as the hardware offers");
  run.add("checkpoint_every", &RunConfig::checkpoint_every, integer(0, kMaxSteps),
          "iterations between checkpoints; 0: only at the end");
  run.add("keep_checkpoints", &RunConfig::keep_checkpoints, integer(1, kMaxCount),
          "newest checkpoints that are kept; the best is kept beside them");
  run.add("log_every", &RunConfig::log_every, integer(1, kMaxSteps),
          "iterations between progress lines");
  run.add("diagnostics_every", &RunConfig::diagnostics_every, integer(0, kMaxSteps),
          "iterations between per-layer diagnostics; 0: never");
  run.add("eval_every", &RunConfig::eval_every, integer(0, kMaxSteps),
          "iterations between evaluations with the most likely actions; 0: never");
  run.add("eval_episodes", &RunConfig::eval_episodes, integer(1, kMaxCount),
          "episodes per evaluation");
  run.add("stop_return", &RunConfig::stop_return, number_or("", -kMaxReturn, kMaxReturn),
          "ends the run when the mean return of 50 iterations reaches it");
  run.add("tensorboard", &RunConfig::tensorboard, boolean(),
          "write TensorBoard event files into the run folder: scalars, and histograms of distances "
          "and activations with the diagnostics");
}

Table make_table() {
  Table table;
  add_env(table);
  add_algorithm(table);
  add_ppo(table);
  add_network(table);
  add_hidden(table);
  add_head(table);
  add_value(table);
  add_policy(table);
  add_schedule(table);
  add_rollout(table);
  add_backend(table);
  add_run(table);
  return table;
}

}  // namespace

const std::vector<Setting>& settings() {
  static const Table table = make_table();
  return table;
}

}  // namespace lpdm
