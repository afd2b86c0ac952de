#include "lpdm/config.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <set>
#include <vector>

#include "io/config_schema.h"
#include "io/json_text.h"
#include "io/temporary_folder.h"

namespace lpdm {
namespace {

Config parse(const std::string& text, const std::vector<std::string>& overrides = {}) {
  return parse_config(text, overrides);
}

TEST(ConfigTest, EmptyConfigIsTheDefaults) { EXPECT_EQ(parse("{}"), Config{}); }

TEST(ConfigTest, ReadsEveryKindOfValue) {
  const Config config = parse(R"({
    // both kinds of comment
    "env": {"id": "Hopper-v4", "count": 1e3, /* whole */ "max_episode_steps": 200,
            "normalize_observations": true, "normalize_rewards": true},
    "algorithm": {"discount": 1, "normalize_returns": false},
    "network": {"hidden": [64, 32, 16], "activation": "relu", "init": "orthogonal"},
    "hidden": {"method": "frozen", "guided": true, "metric": "l2", "scale": "none",
               "norm": "squared", "max_gradient": "constant", "guide_base": "raw",
               "pairs": "landmarks:64", "learning_rate": [1e-3, 1e-4, 0], "grad_clip": 0,
               "memory_mb": 512},
    "policy": {"std": 0.3},
    "rollout": {"halves": "on", "inference": "device"},
    "backend": {"arithmetic": "fixed"},
    "run": {"seed": 18446744073709551615, "device": "cpu"}
  })");
  EXPECT_EQ(config.env.id, "Hopper-v4");
  EXPECT_EQ(config.env.count, 1000);
  EXPECT_EQ(config.env.max_episode_steps, 200);
  EXPECT_TRUE(config.env.normalize_observations);
  EXPECT_TRUE(config.env.normalize_rewards);
  EXPECT_EQ(config.rollout.halves, Halves::kOn);
  EXPECT_EQ(config.rollout.inference, InferencePlace::kDevice);
  EXPECT_EQ(config.backend.arithmetic, Arithmetic::kFixed);
  EXPECT_EQ(config.hidden.memory_mb, 512);
  EXPECT_EQ(config.algorithm.discount, 1.0);
  EXPECT_FALSE(config.algorithm.normalize_returns);
  EXPECT_EQ(config.network.hidden, (std::vector<std::int64_t>{64, 32, 16}));
  EXPECT_EQ(config.network.activation, Activation::kRelu);
  EXPECT_EQ(config.network.init, Initialization::kOrthogonal);
  EXPECT_EQ(config.hidden.method, HiddenMethod::kFrozen);
  EXPECT_EQ(config.hidden.loss,
            (LocalLossConfig{true, Metric::kL2, LossScale::kNone, LossNorm::kSquared,
                             MaxGradient::kConstant, GuideBase::kRaw, PairSelection{64}}));
  EXPECT_EQ(config.hidden.learning_rate, (LayerRates{{1e-3, 1e-4, 0.0}, false}));
  EXPECT_EQ(config.hidden.grad_clip, 0.0);
  EXPECT_EQ(config.policy.std, 0.3);
  EXPECT_EQ(config.run.seed, 18446744073709551615u);
  EXPECT_EQ(config.run.device, "cpu");
}

TEST(ConfigTest, OverridesReplaceValuesOfTheFile) {
  const Config config = parse(
      R"({"env": {"id": "CartPole-v1", "count": 2}, "run": {"seed": 1}})",
      {"run.seed=7", "env.id=Acrobot-v1", "network.hidden=[8]", "hidden.learning_rate=scaled:0.001",
       "hidden.pairs=landmarks:16", "algorithm={\"discount\": 0.5}", "run.seed=9"});
  EXPECT_EQ(config.env.id, "Acrobot-v1");
  EXPECT_EQ(config.env.count, 2);
  EXPECT_EQ(config.run.seed, 9u);
  EXPECT_EQ(config.network.hidden, std::vector<std::int64_t>{8});
  EXPECT_EQ(config.hidden.learning_rate, (LayerRates{{1e-3}, true}));
  EXPECT_EQ(config.hidden.loss.pairs.landmarks, 16);
  EXPECT_EQ(config.algorithm.discount, 0.5);
}

TEST(ConfigTest, ReadsTheVariantsOfTheLocalLoss) {
  const auto loss = [](const std::string& fields) {
    return parse(R"({"hidden": {)" + fields + "}}").hidden.loss;
  };
  EXPECT_EQ(loss(R"("pairs": "closest")").pairs.sparse, SparsePairs::kClosest);
  EXPECT_EQ(loss(R"("pairs": "furthest")").pairs.sparse, SparsePairs::kFurthest);
  EXPECT_EQ(loss(R"("pairs": "closest_furthest")").pairs,
            (PairSelection{0, SparsePairs::kClosestFurthest}));
  EXPECT_EQ(loss(R"("pairs": "landmarks:9")").pairs, (PairSelection{9, SparsePairs::kNone}));
  EXPECT_EQ(loss(R"("pairs": "lowrank:12")").pairs, (PairSelection{.low_rank = 12}));
  EXPECT_EQ(loss(R"("target": "error_propagation")").target, TargetRule::kErrorPropagation);
  EXPECT_EQ(loss(R"("error_rule": "product")").error_rule, ErrorRule::kProduct);
}

TEST(ConfigTest, RatesOfLayers) {
  EXPECT_EQ((LayerRates{{0.5}, false}).rate(0, 3), 0.5);
  EXPECT_EQ((LayerRates{{0.5}, false}).rate(2, 3), 0.5);
  EXPECT_EQ((LayerRates{{0.1, 0.2, 0.3}, false}).rate(1, 3), 0.2);
  const LayerRates scaled{{0.25}, true};
  EXPECT_EQ(scaled.rate(2, 3), 0.25);  // the last hidden layer is one away from the head
  EXPECT_EQ(scaled.rate(0, 3), 0.75);
}

TEST(ConfigTest, LaterSettingsMayBeWrittenFirst) {
  const Config config =
      parse(R"({"hidden": {"learning_rate": [1, 2, 3]}, "network": {"hidden": [4, 5, 6]}})");
  EXPECT_EQ(config.hidden.learning_rate.values, (std::vector<double>{1, 2, 3}));
}

TEST(ConfigTest, OptionsThatEqualTheirDefaultAreLeftOut) {
  const std::string id = "Hopper-v4";
  const EnvironmentOptions defaults = default_options(id);
  ASSERT_FALSE(defaults.empty());
  Config config;
  config.env.id = id;
  const Json dumped = parse_json(dump_config(config), "dump");
  EXPECT_EQ(dumped["env"]["options"].size(), defaults.size());
  EXPECT_TRUE(parse(dump_config(config)).env.options.empty());
}

TEST(ConfigTest, OptionsKeepWhatDiffers) {
  bool scalar_seen = false;
  bool range_seen = false;
  for (const auto& [name, value] : default_options("Hopper-v4")) {
    if (value.size() == 1) {
      const Config config = parse(R"({"env": {"id": "Hopper-v4"}})",
                                  {"env.options." + name + "=" + std::to_string(value[0] + 2.5)});
      EXPECT_EQ(config.env.options.at(name), std::vector<double>{value[0] + 2.5});
      EXPECT_EQ(parse(dump_config(config)), config);
      scalar_seen = true;
    } else if (value.size() == 2) {
      const Config config =
          parse(R"({"env": {"id": "Hopper-v4"}})", {"env.options." + name + "=[-0.125, \"inf\"]"});
      EXPECT_EQ(config.env.options.at(name),
                (std::vector<double>{-0.125, std::numeric_limits<double>::infinity()}));
      EXPECT_EQ(parse(dump_config(config)), config);
      range_seen = true;
    }
  }
  EXPECT_TRUE(scalar_seen && range_seen);
}

TEST(ConfigTest, DumpHasEveryKeyInTheTablesOrder) {
  const Json dumped = parse_json(dump_config(Config{}), "dump");
  std::vector<std::string> sections;
  for (const auto& [name, value] : dumped.items()) sections.push_back(name);
  EXPECT_EQ(sections,
            (std::vector<std::string>{"env", "algorithm", "network", "hidden", "head", "value",
                                      "policy", "schedule", "rollout", "backend", "run"}));
  EXPECT_EQ(dumped["hidden"]["pairs"], "all");
  EXPECT_EQ(dumped["hidden"]["learning_rate"], 1e-3);
  std::size_t keys = 0;
  for (const auto& [name, section] : dumped.items()) keys += section.size();
  keys += dumped["algorithm"]["ppo"].size() - 1;  // a section within a section
  EXPECT_EQ(keys, settings().size());
}

TEST(ConfigTest, EveryKeyIsDocumentedOnce) {
  std::set<std::string> keys;
  for (const ConfigEntry& entry : describe_config(Config{})) {
    EXPECT_TRUE(keys.insert(entry.key).second) << entry.key;
    EXPECT_FALSE(entry.meaning.empty()) << entry.key;
    EXPECT_FALSE(entry.allowed.empty()) << entry.key;
    EXPECT_EQ(entry.value, entry.default_value) << entry.key;
  }
}

TEST(ConfigTest, DescriptionShowsWhatDiffers) {
  Config config;
  config.env.id = "Hopper-v4";
  config.head.grad_clip = 2.0;
  std::set<std::string> differing;
  for (const ConfigEntry& entry : describe_config(config)) {
    if (entry.value != entry.default_value) differing.insert(entry.key);
  }
  EXPECT_EQ(differing, (std::set<std::string>{"env.id", "head.grad_clip"}));
}

TEST(ConfigTest, LoadsFiles) {
  const TemporaryFolder folder;
  put_file(folder / "run.json",
           "\xEF\xBB\xBF// with a byte order mark\n{\"run\": {\"seed\": 5}}\n");
  EXPECT_EQ(load_config(folder / "run.json").run.seed, 5u);
  const std::vector<std::string> overrides = {"run.seed=6"};
  EXPECT_EQ(load_config(folder / "run.json", overrides).run.seed, 6u);
}

}  // namespace
}  // namespace lpdm
