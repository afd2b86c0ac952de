// hidden.block episode from above: cases of `lpdm loss`, REINFORCE updates, whole runs, refusals.
#include <gtest/gtest.h>

#include <string>

#include "io/json_text.h"
#include "lpdm/backend.h"
#include "lpdm/error.h"
#include "lpdm/random.h"
#include "lpdm/reinforce.h"
#include "lpdm/trainer.h"
#include "reference/closeness.h"
#include "reference/local_loss.h"
#include "rl/loss_cases.h"
#include "test_backend.h"

namespace lpdm {
namespace {

using reference::Values;

Values uniform(std::int64_t size, std::uint32_t seed) {
  RandomStream random(seed, {.purpose = StreamPurpose::kBenchmark});
  Values values(static_cast<std::size_t>(size));
  for (double& value : values) value = static_cast<float>(random.uniform(-1.0, 1.0));
  return values;
}

Json loss_case() {
  return {{"name", "episodes"},
          {"n", 90},
          {"dim_x", 3},
          {"dim_in", 3},
          {"dim_out", 6},
          {"x", uniform(270, 1)},
          {"h", nullptr},
          {"w", uniform(18, 2)},
          {"b", uniform(6, 3)},
          {"guided", true},
          {"values", uniform(90, 4)},
          {"block", "episode"},
          {"episode_ends", {5, 80, 90}}};
}

Json run_case(const Json& fields) {
  ThreadPool pool(1);
  const auto backend = make_test_backend(pool);
  return run_loss_cases({{"cases", {fields}}}, "cases", *backend)["cases"][0];
}

std::string refusal(const Json& fields) {
  try {
    run_case(fields);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

TEST(EpisodeCases, AgreeWithTheReference) {
  const Json fields = loss_case();
  const Values x = fields["x"];
  const Values y = reference::dense_tanh(x, fields["w"], fields["b"], 90);
  LocalLossConfig options;
  options.guided = true;
  const auto expected = reference::local_loss({.n = 90,
                                               .dim = 3,
                                               .out = 6,
                                               .x = x,
                                               .y = y,
                                               .values = fields["values"],
                                               .landmarks = {},
                                               .episode_ends = {5, 80, 90},
                                               .options = options,
                                               .previous = std::nullopt});
  const Json result = run_case(fields);
  EXPECT_NEAR(result["loss"].get<double>(), expected.loss, 1e-5 * expected.loss);
  EXPECT_TRUE(reference::all_close(result["grad_y"].get<Values>(), expected.grad_y, 1e-4, 1e-6));
}

TEST(EpisodeCases, SayWhatIsWrong) {
  Json fields = loss_case();
  fields.erase("episode_ends");
  EXPECT_NE(refusal(fields).find("episode_ends"), std::string::npos) << refusal(fields);
  for (const Json& ends :
       {Json{5, 80}, Json{80, 5, 90}, Json{5, 5, 90}, Json{0, 90}, Json::array(), Json{5, 95}}) {
    fields["episode_ends"] = ends;
    EXPECT_NE(refusal(fields).find("episode_ends must ascend"), std::string::npos) << ends;
  }
  fields = loss_case();
  fields["landmark_rows"] = {3};
  EXPECT_NE(refusal(fields).find("hidden.block"), std::string::npos) << refusal(fields);
}

// The first layer's loss of one REINFORCE update on two episodes.
double update_loss(const std::string& options, std::int64_t first_end) {
  ThreadPool pool(1);
  const auto backend = make_test_backend(pool);
  Network network(*backend, {.input = 3, .hidden = {8}, .output = 2});
  network.initialize(Initialization::kTorch, 1);
  Reinforce reinforce(*backend, network, {.discrete = false, .size = 2, .low = {}, .high = {}},
                      parse_config(options));
  const auto floats = [](std::int64_t size, std::uint32_t seed) {
    const Values values = uniform(size, seed);
    return std::vector<float>(values.begin(), values.end());
  };
  const Batch batch{.observation_size = 3,
                    .action_width = 2,
                    .observations = floats(240, 1),
                    .actions = floats(160, 2),
                    .rewards = floats(80, 3),
                    .episode_ends = {first_end, 80}};
  return reinforce.update(batch, {.diagnostics = true, .landmarks = std::nullopt}).layers[0].loss;
}

TEST(EpisodeCases, UpdatesKnowTheirEpisodes) {
  const std::string episode = R"({"hidden": {"block": "episode"}})";
  EXPECT_NE(update_loss(episode, 40), update_loss(episode, 20));
  EXPECT_EQ(update_loss("{}", 40), update_loss("{}", 20));
  EXPECT_LT(update_loss(episode, 40), update_loss("{}", 40));  // half of the entries
}

TEST(EpisodeCases, RunsAreTheSameForAnyNumberOfThreads) {
  Config config = parse_config(
      R"({"hidden": {"block": "episode", "guided": true}, "network": {"hidden": [16, 24]}})");
  config.algorithm.episodes_per_update = 5;
  const auto losses = [&config](std::int64_t threads) {
    config.run.threads = threads;
    config.run.diagnostics_every = 1;
    Trainer trainer(config);
    Values values;
    for (int i = 0; i < 5; ++i) {
      for (const LayerDiagnostics& layer : trainer.iterate().layers) values.push_back(layer.loss);
    }
    return values;
  };
  const Values one = losses(1);
  EXPECT_EQ(one.size(), 10U);
  EXPECT_EQ(one, losses(3));
}

}  // namespace
}  // namespace lpdm
