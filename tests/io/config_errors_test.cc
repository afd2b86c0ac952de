// Every way to get a config wrong is answered with the key, what was given and what was expected.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "io/temporary_folder.h"
#include "io/usage_error.h"
#include "lpdm/config.h"

namespace lpdm {
namespace {

struct BadConfig {
  const char* text;
  const char* key;         // that the message must name
  const char* suggestion;  // that it must contain as well
};

const std::vector<BadConfig> kBadConfigs = {
    // unknown keys
    {R"({"env": {"cuont": 3}})", "\"env.cuont\"", "did you mean \"env.count\"?"},
    {R"({"hiden": {}})", "unknown key \"hiden\"", "did you mean \"hidden\"?"},
    {R"({"seed": 3})", "unknown key \"seed\"", "did you mean \"run.seed\"?"},
    {R"({"evn": {"id": "CartPole-v1"}})", "\"evn\"", "did you mean \"env\"?"},
    {R"({"hidden": {"learningrate": 1}})", "\"hidden.learningrate\"", "\"hidden.learning_rate\""},
    {R"({"env.id": "CartPole-v1"})", "\"env.id\"", "nest objects"},
    {R"({"": 1})", "\"\"", "lpdm config"},
    {R"({"env": {"": 1}})", "\"env.\"", "\"env.id\""},
    // wrong types
    {R"([])", "the whole", "object"},
    {R"(3)", "the whole", "object"},
    {R"({"env": 3})", "env is 3", "object"},
    {R"({"env": null})", "env is null", "object"},
    {R"({"env": {"id": 3}})", "env.id is 3", "CartPole-v1"},
    {R"({"env": {"count": "3"}})", "env.count is \"3\"", "integer"},
    {R"({"env": {"count": true}})", "env.count is true", "integer"},
    {R"({"env": {"count": null}})", "env.count is null", "integer"},
    {R"({"env": {"options": []}})", "env.options is []", "object"},
    {R"({"algorithm": {"discount": "0.9"}})", "algorithm.discount is \"0.9\"", "number"},
    {R"({"algorithm": {"discount": [0.9]}})", "algorithm.discount is [0.9]", "number"},
    {R"({"algorithm": {"normalize_returns": 1}})", "algorithm.normalize_returns is 1",
     "nearest valid value: true"},
    {R"({"algorithm": {"normalize_returns": "false"}})", "algorithm.normalize_returns",
     "nearest valid value: false"},
    {R"({"network": {"hidden": 128}})", "network.hidden is 128", "list"},
    {R"({"network": {"hidden": [128, "64"]}})", "network.hidden[1] is \"64\"", "integer"},
    {R"({"hidden": {"learning_rate": true}})", "hidden.learning_rate is true", "scaled:x"},
    {R"({"hidden": {"pairs": 3}})", "hidden.pairs is 3", "landmarks:M"},
    // impossible values
    {R"({"env": {"id": "CartPole"}})", "env.id is \"CartPole\"",
     "nearest valid value: CartPole-v1"},
    {R"({"env": {"id": "hopper-v4"}})", "env.id", "nearest valid value: Hopper-v4"},
    {R"({"env": {"count": 0}})", "env.count is 0", "nearest valid value: 1"},
    {R"({"env": {"count": 1.5}})", "env.count is 1.5", "nearest valid value: 2"},
    {R"({"env": {"count": -3}})", "env.count is -3", "nearest valid value: 1"},
    {R"({"env": {"count": 99999999999999999999999}})", "env.count is ",
     "nearest valid value: 1000000"},
    {R"({"env": {"count": 1e300}})", "env.count is 1e+300", "nearest valid value: 1000000"},
    {R"({"env": {"max_episode_steps": -1}})", "env.max_episode_steps is -1",
     "nearest valid value: 0"},
    {R"({"algorithm": {"name": "reinforced"}})", "algorithm.name",
     "nearest valid value: reinforce"},
    {R"({"algorithm": {"discount": 1.01}})", "algorithm.discount is 1.01",
     "nearest valid value: 1"},
    {R"({"algorithm": {"discount": -0.1}})", "algorithm.discount is -0.1",
     "nearest valid value: 0"},
    {R"({"algorithm": {"episodes_per_update": 0}})", "algorithm.episodes_per_update",
     "nearest valid value: 1"},
    {R"({"network": {"hidden": []}})", "network.hidden is []", "1 to 64 integers"},
    {R"({"network": {"hidden": [128, 0]}})", "network.hidden[1] is 0", "nearest valid value: 1"},
    {R"({"network": {"hidden": [9223372036854775807]}})", "network.hidden[0]",
     "nearest valid value: 65536"},
    {R"({"network": {"activation": "than"}})", "network.activation", "nearest valid value: tanh"},
    {R"({"network": {"activation": "identity"}})", "network.activation", "tanh | relu"},
    {R"({"hidden": {"method": "backpropp"}})", "hidden.method", "nearest valid value: backprop"},
    {R"({"hidden": {"metric": "l3"}})", "hidden.metric is \"l3\"", "l1 | l2"},
    {R"({"hidden": {"scale": "onw"}})", "hidden.scale", "nearest valid value: own"},
    {R"({"hidden": {"learning_rate": -1e-3}})", "hidden.learning_rate is -0.001",
     "nearest valid value: 0"},
    {R"({"hidden": {"learning_rate": [1e-3]}})", "hidden.learning_rate is [0.001]",
     "2 layers of network.hidden"},
    {R"({"hidden": {"learning_rate": []}})", "hidden.learning_rate is []", "2 layers"},
    {R"({"hidden": {"learning_rate": [1, 2, 3]}})", "hidden.learning_rate is [1,2,3]", "2 layers"},
    {R"({"hidden": {"learning_rate": [1, -2]}})", "hidden.learning_rate[1] is -2",
     "nearest valid value: 0"},
    {R"({"hidden": {"learning_rate": "scaled"}})", "hidden.learning_rate is \"scaled\"",
     "scaled:x"},
    {R"({"hidden": {"learning_rate": "scaled:"}})", "hidden.learning_rate", "scaled:x"},
    {R"({"hidden": {"learning_rate": "scaled:-1"}})", "hidden.learning_rate", "scaled:x"},
    {R"({"hidden": {"learning_rate": "scaled:nan"}})", "hidden.learning_rate", "scaled:x"},
    {R"({"hidden": {"learning_rate": "scaled:1x"}})", "hidden.learning_rate", "scaled:x"},
    {R"({"hidden": {"block": "episodes"}})", "hidden.block", "nearest valid value: episode"},
    {R"({"hidden": {"block": "episode", "pairs": "landmarks:64"}})", "hidden.block",
     "expected batch, unless hidden.pairs is all"},
    {R"({"hidden": {"pairs": "closest", "block": "episode"}})", "hidden.block",
     "expected batch, unless hidden.pairs is all"},
    {R"({"hidden": {"block": "episode"}, "algorithm": {"name": "ppo"}})", "hidden.block",
     "expected batch, as ppo does not learn from whole episodes"},
    {R"({"hidden": {"pairs": "landmarks:0"}})", "hidden.pairs", "nearest valid value: landmarks:1"},
    {R"({"hidden": {"pairs": "landmarks:-5"}})", "hidden.pairs",
     "nearest valid value: landmarks:1"},
    {R"({"hidden": {"pairs": "landmarks:1.5"}})", "hidden.pairs", "landmarks:M"},
    {R"({"hidden": {"pairs": "landmarks:1e99"}})", "hidden.pairs", "landmarks:M"},
    {R"({"hidden": {"pairs": "landmarks:"}})", "hidden.pairs", "landmarks:M"},
    {R"({"hidden": {"pairs": "landmark:64"}})", "hidden.pairs",
     "nearest valid value: landmarks:64"},
    {R"({"hidden": {"pairs": "lowrank:0"}})", "hidden.pairs", "nearest valid value: lowrank:1"},
    {R"({"hidden": {"pairs": "lowrank:65"}})", "hidden.pairs", "R 1 to 64"},
    {R"({"hidden": {"pairs": "lowrank:1.5"}})", "hidden.pairs", "R 1 to 64"},
    {R"({"hidden": {"pairs": "lowrnk:8"}})", "hidden.pairs", "nearest valid value: lowrank:8"},
    {R"({"hidden": {"pairs": "lowrank:8", "metric": "l2"}})", "hidden.pairs is \"lowrank:8\"",
     "unless hidden.metric is l1"},
    {R"({"hidden": {"pairs": "lowrank:8"}, "network": {"activation": "relu"}})", "hidden.pairs",
     "unless network.activation is tanh"},
    {R"({"hidden": {"pairs": "lowrank:8", "target": "error_propagation"}})", "hidden.target",
     "expected input, as hidden.pairs is lowrank:R"},
    {R"({"hidden": {"pairs": "lowrank:8", "block": "episode"}})", "hidden.block",
     "expected batch, unless hidden.pairs is all"},
    {R"({"hidden": {"pairs": "al"}})", "hidden.pairs", "nearest valid value: all"},
    {R"({"hidden": {"pairs": "closets_furthest"}})", "hidden.pairs",
     "nearest valid value: closest_furthest"},
    {R"({"hidden": {"target": "error"}})", "hidden.target is \"error\"", "error_propagation"},
    {R"({"hidden": {"error_rule": "one_pluss"}})", "hidden.error_rule",
     "nearest valid value: one_plus"},
    {R"({"hidden": {"grad_clip": -1}})", "hidden.grad_clip is -1", "nearest valid value: 0"},
    {R"({"head": {"learning_rate": 1e9}})", "head.learning_rate", "nearest valid value: 1000"},
    {R"({"policy": {"std": 0}})", "policy.std is 0", "nearest valid value: 1e-06"},
    {R"({"run": {"seed": -1}})", "run.seed is -1", "nearest valid value: 0"},
    {R"({"run": {"seed": 18446744073709551616}})", "run.seed",
     "nearest valid value: 18446744073709551615"},
    {R"({"run": {"iterations": 0}})", "run.iterations", "nearest valid value: 1"},
    {R"({"run": {"threads": 100000}})", "run.threads", "nearest valid value: 1024"},
    {R"({"run": {"device": "gpu"}})", "run.device is \"gpu\"", "auto | cpu | cuda"},
    {R"({"env": {"id": "Hopper-v4", "options": {"reset_noise": 1}}})",
     "\"env.options.reset_noise\"", "\"env.options.reset_noise_scale\""},
    {R"({"env": {"id": "Hopper-v4", "options": {"reset_noise_scale": "big"}}})",
     "env.options.reset_noise_scale is \"big\"", "number"},
    {R"({"env": {"id": "Hopper-v4", "options": {"reset_noise_scale": [1, 2]}}})",
     "env.options.reset_noise_scale is [1,2]", "number"},
    {R"({"env": {"id": "Hopper-v4", "options": {"healthy_z_range": 1}}})",
     "env.options.healthy_z_range is 1", "[low, high]"},
    {R"({"env": {"id": "Hopper-v4", "options": {"healthy_z_range": [2, 1]}}})",
     "env.options.healthy_z_range is [2,1]", "low <= high"},
    {R"({"env": {"id": "Hopper-v4", "options": {"healthy_z_range": [0, true]}}})",
     "env.options.healthy_z_range[1] is true", "number"},
    // not JSON
    {R"()", "config", "line 1, column 1"},
    {R"({"env": {)", "config", "line 1, column 10"},
    {"{\n  \"env\": {\"id\": }\n}", "config", "line 2, column 17"},
    {"{\"run\": {\"seed\": NaN}}", "config", "line 1, column 18"},
    {"{\"policy\": {\"std\": 1e999}}", "config", "1e999"},
    {"{} {}", "config", "line 1, column 4"},
    {"{\"env\": {\"id\": \"\xff\"}}", "config", "UTF-8"},
    {"{\"env\": {} /* open", "config", "comment"},
    // the same key twice
    {R"({"run": {"seed": 1, "seed": 1}})", "\"run.seed\"", "twice"},
    {R"({"run": {"seed": 1}, "run": {"threads": 1}})", "\"run\"", "twice"},
};

TEST(ConfigErrorsTest, NamesTheKeyAndSuggests) {
  for (const BadConfig& bad : kBadConfigs) {
    SCOPED_TRACE(bad.text);
    expect_usage_error([&] { parse_config(bad.text); }, {bad.key, bad.suggestion});
  }
}

void expect_bad_override(const std::string& assignment, const std::string& part) {
  SCOPED_TRACE(assignment);
  const std::vector<std::string> overrides = {assignment};
  expect_usage_error([&] { parse_config(R"({"run": {"seed": 3}})", overrides); }, {"--set", part});
}

TEST(ConfigErrorsTest, RefusesBadOverrides) {
  expect_bad_override("run.seed", "key=value");
  expect_bad_override("=3", "key=value");
  expect_bad_override("", "key=value");
  expect_bad_override("run.sead=3", "did you mean \"run.seed\"?");
  expect_bad_override("run.seed=three", "run.seed is \"three\"");
  expect_bad_override("run.seed=", "run.seed is \"\"");
  expect_bad_override("run.seed.deep=3", "not an object");
  expect_bad_override("run=3", "run is 3");
  expect_bad_override("run..seed=3", "\"run.\"");
  expect_bad_override(".=3", "\"\"");
  expect_bad_override("policy.std=nan", "policy.std is \"nan\"");
  expect_bad_override("policy.std=1e999", "policy.std is \"1e999\"");
  expect_bad_override("env.id=\xff\xfe", "UTF-8");
  expect_bad_override("env.options.gravity=1", "\"env.options.gravity\"");
  expect_bad_override("network.hidden=[[[[1]]]]", "network.hidden[0] is [[[1]]]");
}

TEST(ConfigErrorsTest, SaysWhetherFileOrOverrideIsWrong) {
  const std::vector<std::string> overrides = {"run.threads=2"};
  expect_usage_error([&] { parse_config(R"({"run": {"seed": -3}})", overrides); },
                     {"config: run.seed is -3"});
}

TEST(ConfigErrorsTest, RefusesDepthThatWouldExhaustTheStack) {
  const std::string deep = std::string(100'000, '[');
  expect_usage_error([&] { parse_config("{\"env\": " + deep); }, {"deeper"});
}

TEST(ConfigErrorsTest, QuotesKeysAndValuesOnOneLine) {
  for (const char* text : {R"({"a\nb\r\tc": 1})", R"({"env": {"id": "Cart\nPole"}})",
                           R"({"env": {"options": {"a\nb": 1}}})"}) {
    const std::string sentence = message_of<UsageError>([&] { parse_config(text); });
    EXPECT_FALSE(sentence.empty());
    EXPECT_EQ(sentence.find_first_of("\n\r\t"), std::string::npos) << sentence;
  }
}

TEST(ConfigErrorsTest, ShortensLongValues) {
  const std::string text = "{\"env\": {\"id\": \"" + std::string(10'000, 'x') + "\"}}";
  const std::string message = message_of<UsageError>([&] { parse_config(text); });
  EXPECT_LT(message.size(), 600u) << message;
}

TEST(ConfigErrorsTest, RefusesWhatIsNotAFile) {
  const TemporaryFolder folder;
  const std::string missing = (folder / "missing.json").string();
  expect_usage_error([&] { load_config(missing); }, {missing, "No such file"});
  expect_usage_error([&] { load_config(folder.path()); }, {folder.path().string(), "folder"});
  expect_usage_error([] { load_config(""); }, {"No such file"});
  expect_usage_error([] { load_config("/dev/zero"); }, {"/dev/zero", "bytes"});
}

TEST(ConfigErrorsTest, NamesTheFile) {
  const TemporaryFolder folder;
  put_file(folder / "a.json", "{\"run\": {\"sed\": 1}}");
  expect_usage_error([&] { load_config(folder / "a.json"); },
                     {(folder / "a.json").string(), "run.sed", "run.seed"});
}

}  // namespace
}  // namespace lpdm
