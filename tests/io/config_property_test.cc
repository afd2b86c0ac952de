// Random configs survive a round trip; damaged ones are refused, never a crash.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <vector>

#include "io/config_schema.h"
#include "lpdm/config.h"
#include "lpdm/environment.h"
#include "lpdm/error.h"

namespace lpdm {
namespace {

rc::Gen<double> between(double low, double high) {
  constexpr double kSteps = 1u << 30;
  return rc::gen::map(rc::gen::inRange<std::uint32_t>(0, (1u << 30) + 1), [=](std::uint32_t step) {
    return std::min(high, low + (high - low) * (step / kSteps));
  });
}

LayerRates any_rates(std::size_t layers) {
  LayerRates rates;
  rates.scaled = *rc::gen::arbitrary<bool>();
  const std::size_t count = rates.scaled || *rc::gen::arbitrary<bool>() ? 1 : layers;
  rates.values = *rc::gen::container<std::vector<double>>(count, between(0.0, 1000.0));
  return rates;
}

EnvironmentOptions any_options(const std::string& id) {
  EnvironmentOptions options;
  for (const auto& [name, value] : default_options(id)) {
    if (!*rc::gen::arbitrary<bool>()) continue;
    auto numbers = *rc::gen::container<std::vector<double>>(value.size(), between(-10.0, 10.0));
    if (numbers.size() == 2) std::ranges::sort(numbers);
    if (numbers != value) options[name] = numbers;
  }
  return options;
}

LocalLossConfig any_loss() {
  LocalLossConfig loss;
  loss.guided = *rc::gen::arbitrary<bool>();
  loss.metric = *rc::gen::element(Metric::kL1, Metric::kL2);
  loss.scale = *rc::gen::element(LossScale::kOwn, LossScale::kCross, LossScale::kNone);
  loss.norm = *rc::gen::element(LossNorm::kFrobenius, LossNorm::kSquared);
  loss.max_gradient = *rc::gen::element(MaxGradient::kThrough, MaxGradient::kConstant);
  loss.guide_base = *rc::gen::element(GuideBase::kNormalized, GuideBase::kRaw);
  loss.pairs.sparse = *rc::gen::element(SparsePairs::kNone, SparsePairs::kClosest,
                                        SparsePairs::kFurthest, SparsePairs::kClosestFurthest);
  if (loss.pairs.sparse == SparsePairs::kNone) {
    loss.pairs.landmarks = *rc::gen::inRange<std::int64_t>(0, 1'000'000'001);
  }
  loss.target = *rc::gen::element(TargetRule::kInput, TargetRule::kErrorPropagation);
  loss.error_rule = *rc::gen::element(ErrorRule::kOnePlus, ErrorRule::kProduct);
  return loss;
}

PpoConfig any_ppo() {
  PpoConfig ppo;
  ppo.horizon = *rc::gen::inRange<std::int64_t>(1, 1'000'001);
  ppo.epochs = *rc::gen::inRange<std::int64_t>(1, 1'000'001);
  ppo.minibatch = *rc::gen::inRange<std::int64_t>(1, 1'000'000'001);
  ppo.clip = *between(0.0, 1000.0);
  ppo.kl_weight = *between(0.0, 1000.0);
  ppo.kl_stop = *between(0.0, 1000.0);
  ppo.value_clip = *between(0.0, 1e6);
  ppo.advantage =
      *rc::gen::element(AdvantageRule::kReturn, AdvantageRule::kTd, AdvantageRule::kGae);
  ppo.gae_lambda = *between(0.0, 1.0);
  ppo.normalize_advantages = *rc::gen::arbitrary<bool>();
  ppo.entropy_weight = *between(0.0, 1000.0);
  return ppo;
}

Config any_config() {
  Config config;
  config.env.id = *rc::gen::elementOf(environment_ids());
  config.env.count = *rc::gen::inRange<std::int64_t>(1, 1'000'001);
  config.env.max_episode_steps = *rc::gen::inRange<std::int64_t>(0, 1'000'000'001);
  config.env.options = any_options(config.env.id);
  config.env.normalize_observations = *rc::gen::arbitrary<bool>();
  config.env.normalize_rewards = *rc::gen::arbitrary<bool>();
  config.algorithm.discount = *between(0.0, 1.0);
  config.algorithm.episodes_per_update = *rc::gen::inRange<std::int64_t>(1, 1'000'001);
  config.algorithm.normalize_returns = *rc::gen::arbitrary<bool>();
  config.algorithm.name = *rc::gen::element(AlgorithmName::kReinforce,
                                            AlgorithmName::kReinforceBaseline, AlgorithmName::kPpo);
  config.algorithm.ppo = any_ppo();
  const auto layers = *rc::gen::inRange<std::size_t>(1, 65);
  config.network.hidden = *rc::gen::container<std::vector<std::int64_t>>(
      layers, rc::gen::inRange<std::int64_t>(1, 65'537));
  config.network.activation = *rc::gen::element(Activation::kTanh, Activation::kRelu);
  config.network.init = *rc::gen::element(Initialization::kTorch, Initialization::kOrthogonal);
  config.hidden.method =
      *rc::gen::element(HiddenMethod::kLpdm, HiddenMethod::kBackprop, HiddenMethod::kFrozen);
  config.hidden.loss = any_loss();
  LocalLossConfig& loss = config.hidden.loss;
  const bool series = loss.metric == Metric::kL1 && loss.target == TargetRule::kInput &&
                      config.network.activation == Activation::kTanh;
  if (series && *rc::gen::arbitrary<bool>()) {
    loss.pairs = {.low_rank = *rc::gen::inRange<std::int64_t>(1, 65)};
  }
  config.hidden.learning_rate = any_rates(layers);
  config.hidden.grad_clip = *between(0.0, 1e6);
  config.head.learning_rate = *between(0.0, 1000.0);
  config.head.grad_clip = *between(0.0, 1e6);
  config.value.learning_rate = *between(0.0, 1000.0);
  config.value.steps = *rc::gen::inRange<std::int64_t>(1, 1'000'001);
  config.value.weight = *between(0.0, 1000.0);
  config.hidden.batch = *rc::gen::element(LocalBatch::kMinibatch, LocalBatch::kBuffer);
  if (*rc::gen::arbitrary<bool>()) {
    config.policy.std = *between(1e-6, 1e6);
  } else {
    config.policy.std = std::nullopt;
  }
  config.policy.initial_std = *between(1e-6, 1e6);
  config.schedule.learning_rate = *rc::gen::element(RateSchedule::kConstant, RateSchedule::kLinear);
  config.rollout.halves = *rc::gen::element(Halves::kAuto, Halves::kOn, Halves::kOff);
  config.rollout.inference =
      *rc::gen::element(InferencePlace::kAuto, InferencePlace::kHost, InferencePlace::kDevice);
  config.backend.arithmetic = *rc::gen::element(Arithmetic::kAuto, Arithmetic::kFp32,
                                                Arithmetic::kFixed, Arithmetic::kHalf2);
  config.hidden.memory_mb = *rc::gen::inRange<std::int64_t>(0, 1'000'001);
  config.run.iterations = *rc::gen::inRange<std::int64_t>(1, 1'000'000'001);
  config.run.seed = *rc::gen::arbitrary<std::uint64_t>();
  config.run.device = *rc::gen::element<std::string>("auto", "cpu", "cuda");
  config.run.threads = *rc::gen::inRange<std::int64_t>(0, 1025);
  config.run.checkpoint_every = *rc::gen::inRange<std::int64_t>(0, 1'000'000'001);
  config.run.log_every = *rc::gen::inRange<std::int64_t>(1, 1'000'000'001);
  config.run.checkpoint_every = *rc::gen::inRange<std::int64_t>(0, 1'000'000'001);
  config.run.diagnostics_every = *rc::gen::inRange<std::int64_t>(0, 1'000'000'001);
  config.run.eval_every = *rc::gen::inRange<std::int64_t>(0, 1'000'000'001);
  config.run.eval_episodes = *rc::gen::inRange<std::int64_t>(1, 1'000'001);
  if (*rc::gen::arbitrary<bool>()) config.run.stop_return = *between(-1e12, 1e12);
  return config;
}

// Text as a slip of the hand or a damaged disk would leave it.
void damage(std::string& text) {
  static const std::vector<std::string> kTokens = {"null",
                                                   "true",
                                                   "-1",
                                                   "1.5",
                                                   "1e999",
                                                   "18446744073709551616",
                                                   "\"\"",
                                                   "[]",
                                                   "{}",
                                                   "[[",
                                                   "//",
                                                   "/*",
                                                   "\"env\"",
                                                   ":",
                                                   ",",
                                                   "{\"env\":",
                                                   "}",
                                                   "]",
                                                   "\\",
                                                   "\xff",
                                                   "\"",
                                                   "-0.0",
                                                   "1e-400",
                                                   "NaN",
                                                   "\"landmarks:\"",
                                                   "\"scaled:1e309\"",
                                                   "\u00e9"};
  const auto begin = *rc::gen::inRange<std::size_t>(0, text.size() + 1);
  const auto length = *rc::gen::inRange<std::size_t>(0, 12);
  switch (*rc::gen::inRange(0, 4)) {
    case 0:
      text.erase(begin, length);
      break;
    case 1:
      text.insert(begin, *rc::gen::elementOf(kTokens));
      break;
    case 2:
      text.replace(begin, length, *rc::gen::elementOf(kTokens));
      break;
    default:
      text.insert(begin, text.substr(begin, length * 8));
  }
}

// Parses what may be wrong: the only exception that may come out is UsageError, of one line.
void parse_anything(const std::string& text, const std::vector<std::string>& overrides) {
  try {
    const Config config = parse_config(text, overrides);
    RC_ASSERT(parse_config(dump_config(config)) == config);
  } catch (const UsageError& error) {
    const std::string message = error.what();
    RC_ASSERT(!message.empty());
    RC_ASSERT(message.find('\n') == std::string::npos);
  }
}

RC_GTEST_PROP(ConfigPropertyTest, DumpAndLoadRoundTrip, ()) {
  const Config config = any_config();
  const std::string text = dump_config(config);
  const Config loaded = parse_config(text);
  RC_ASSERT(loaded == config);
  RC_ASSERT(dump_config(loaded) == text);
}

RC_GTEST_PROP(ConfigPropertyTest, DamagedTextIsRefusedOrReadNeverACrash, ()) {
  std::string text = dump_config(any_config());
  const int edits = *rc::gen::inRange(1, 9);
  for (int i = 0; i < edits; ++i) damage(text);
  parse_anything(text, {});
}

RC_GTEST_PROP(ConfigPropertyTest, AnyOverrideIsRefusedOrReadNeverACrash, ()) {
  const Setting& setting = *rc::gen::elementOf(settings());
  const auto value = *rc::gen::oneOf(
      rc::gen::arbitrary<std::string>(),
      rc::gen::map(rc::gen::arbitrary<double>(), [](double x) { return std::to_string(x); }),
      rc::gen::map(rc::gen::arbitrary<std::int64_t>(), [](auto x) { return std::to_string(x); }),
      rc::gen::element<std::string>("[1, 2]", "[[]]", "{\"a\": 1}", "null", "landmarks:7",
                                    "scaled:0.5", "true", "{\"reset_noise_scale\": 0.5}"));
  parse_anything("{}", {setting.key + "=" + value});
}

}  // namespace
}  // namespace lpdm
