// Hundreds of configs with mistakes in them: each is refused with one sentence or starts a run,
// never a crash.
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "io/json_text.h"
#include "lpdm/config.h"
#include "lpdm/random.h"
#include "tools/program.h"
#include "tools/rounds.h"

namespace lpdm {
namespace {

class Mutator {
 public:
  explicit Mutator(std::uint64_t seed) : random_(seed, {.purpose = StreamPurpose::kBenchmark}) {}

  // The text of a config with one to three mistakes.
  std::string mutate(Json config) {
    const std::size_t mistakes = 1 + below(3);
    for (std::size_t i = 0; i < mistakes; ++i) spoil(config);
    std::string text = config.dump(1);
    if (below(4) == 0) {
      const std::size_t at = below(text.size());
      if (below(2) == 0) {
        text.erase(at, 1 + below(8));
      } else {
        text[at] = static_cast<char>(below(256));
      }
    }
    return text;
  }

 private:
  std::size_t below(std::size_t limit) {
    return static_cast<std::size_t>(random_.uniform() * static_cast<double>(limit));
  }

  Json any_value() {
    static const std::vector<Json> kValues = {nullptr,
                                              true,
                                              false,
                                              0,
                                              1,
                                              2,
                                              7,
                                              -1,
                                              64,
                                              0.5,
                                              -0.25,
                                              1e-9,
                                              1e12,
                                              1e308,
                                              "",
                                              "tanh",
                                              "PPO",
                                              "landmarks:3",
                                              "landmarks:x",
                                              "lowrank:4",
                                              "closest",
                                              "scaled:0.1",
                                              "learned",
                                              "CartPole-v1",
                                              "Hopper-v4",
                                              "Hopper-v9",
                                              "mjcf:none.json",
                                              Json::array(),
                                              Json::array({1, 2}),
                                              Json::array({0.5, "a"}),
                                              Json::object(),
                                              Json{{"a", 1}}};
    return kValues[below(kValues.size())];
  }

  // Changes, removes, renames or adds one key, somewhere.
  void spoil(Json& config) {
    Json* place = &config;
    while (true) {
      auto member = place->begin();
      std::advance(member, below(place->size()));
      if (member->is_object() && !member->empty() && below(8) != 0) {
        place = &*member;
        continue;
      }
      switch (below(6)) {
        case 0:
          place->erase(member.key());
          return;
        case 1:
          (*place)[member.key() + "s"] = *member;
          return;
        case 2:
          (*place)["x"] = any_value();
          return;
        default:
          *member = any_value();
          return;
      }
    }
  }

  RandomStream random_;
};

// What a run of a second needs: small episodes, layers and batches.
std::vector<Json> small_configs() {
  std::vector<Json> configs;
  for (const std::string settings :
       {R"({})", R"({"algorithm": {"name": "reinforce_baseline"}, "hidden": {"guided": true}})",
        R"({"env": {"id": "Hopper-v4", "count": 2}, "algorithm": {"name": "ppo"}})",
        R"({"hidden": {"method": "backprop"}, "network": {"activation": "relu"}})"}) {
    const std::vector<std::string> small = {"env.max_episode_steps=20", "network.hidden=[4,6]",
                                            "algorithm.ppo.horizon=16", "algorithm.ppo.minibatch=8",
                                            "run.iterations=2",         "run.threads=1"};
    configs.push_back(parse_json(dump_config(parse_config(settings, small)), "config"));
  }
  return configs;
}

TEST(MutatedConfigTest, IsRefusedWithOneSentenceOrStartsARun) {
  const std::vector<Json> configs = small_configs();
  const int wanted = rounds(60, 500);
  int started = 0, refused = 0;
  for (int round = 0; round < wanted; ++round) {
    const TemporaryFolder folder;
    Mutator mutator(static_cast<std::uint64_t>(round));
    const std::string text =
        mutator.mutate(configs[static_cast<std::size_t>(round) % configs.size()]);
    put_file(folder / "config.json", text);
    // A run that goes on is interrupted, which it answers by saving.
    const Outcome outcome = run_program(fmt::format(
        "info >/dev/null; timeout --signal=INT --kill-after=60 20 '{}' train '{}' --out '{}'",
        LPDM_PROGRAM, (folder / "config.json").string(), (folder / "run").string()));
    SCOPED_TRACE(fmt::format("round {}: {}\n{}", round, text, outcome.err));
    EXPECT_EQ(outcome.err.find("runtime error"), std::string::npos);
    EXPECT_EQ(outcome.err.find("Sanitizer"), std::string::npos);
    if (outcome.status == 2) {
      ++refused;
      EXPECT_TRUE(outcome.err.starts_with("lpdm: "));
      EXPECT_EQ(std::ranges::count(outcome.err, '\n'), 1);
    } else {
      // timeout says 124 for what it has interrupted.
      EXPECT_TRUE(outcome.status == 0 || outcome.status == 124) << outcome.status;
      EXPECT_TRUE(outcome.err.starts_with("memory: "));
      ++started;
    }
  }
  EXPECT_GT(refused, wanted / 4);
  EXPECT_GT(started, wanted / 20);
}

}  // namespace
}  // namespace lpdm
