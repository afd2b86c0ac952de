// The goldens of tests/data/loss/updates.json: whole REINFORCE updates of whole networks.
#include <gtest/gtest.h>

#include <fstream>

#include "io/json_text.h"
#include "lpdm/backend.h"
#include "lpdm/config.h"
#include "reference/closeness.h"
#include "reference/update.h"
#include "rl/loss_cases.h"
#include "test_backend.h"
#include "test_data.h"

namespace lpdm {
namespace {

using reference::all_close;
using reference::Values;

Json load() {
  std::ifstream file(test_data_folder() + "/loss/updates.json");
  return Json::parse(file);
}

Config config_of(const Json& golden) {
  Json hidden = golden["options"];
  hidden.erase("landmark_rows");
  hidden["method"] = golden["method"];
  hidden["grad_clip"] = golden["grad_clip"];
  Json config{
      {"hidden", hidden},
      {"head", {{"grad_clip", golden["grad_clip"]}, {"learning_rate", golden["learning_rate"]}}},
      {"algorithm", {{"discount", golden["discount"]}}}};
  if (!golden["std"].is_null()) config["policy"] = {{"std", golden["std"]}};
  return parse_config(config.dump());
}

TEST(GoldenUpdates, ReferenceReproducesThem) {
  int compared = 0;
  const Json goldens = load();
  for (const Json& golden : goldens["cases"]) {
    SCOPED_TRACE(golden["name"].get<std::string>());
    std::vector<reference::LayerParameters> layers;
    for (const Json& layer : golden["initial"]) layers.push_back({layer[0], layer[1]});
    reference::ReferenceTrainer trainer(layers, golden["discrete"], config_of(golden));
    for (const Json& batch : golden["batches"]) {
      const Values rewards = batch["rewards"];
      EXPECT_TRUE(all_close(reference::normalized_returns(rewards, golden["discount"]),
                            batch["returns"], 1e-10, 1e-10));
      const Values losses = trainer.update(
          {.n = golden["n"],
           .dim = golden["dim_x"],
           .x = batch["x"],
           .actions = batch["actions"],
           .rewards = rewards,
           .landmarks = golden["options"].value("landmark_rows", std::vector<std::int64_t>{})});
      EXPECT_TRUE(all_close(losses, batch["losses"], 1e-10, 1e-10));
    }
    for (std::size_t l = 0; l < layers.size(); ++l) {
      EXPECT_TRUE(all_close(trainer.layers()[l].weight, golden["final"][l][0], 1e-10, 1e-10));
      EXPECT_TRUE(all_close(trainer.layers()[l].bias, golden["final"][l][1], 1e-10, 1e-10));
    }
    ++compared;
  }
  EXPECT_EQ(compared, 12);
}

TEST(GoldenUpdates, EngineAgrees) {
  ThreadPool pool(2);
  const auto backend = make_test_backend(pool);
  const Json goldens = load();
  const Json results = run_loss_cases(goldens, "goldens", *backend);
  int compared = 0;
  for (std::size_t k = 0; k < goldens["cases"].size(); ++k) {
    const Json& golden = goldens["cases"][k];
    const Json& result = results["cases"][k];
    SCOPED_TRACE(golden["name"].get<std::string>());
    EXPECT_EQ(result["name"], golden["name"]);
    for (std::size_t b = 0; b < golden["batches"].size(); ++b) {
      EXPECT_TRUE(
          all_close(result["losses"][b].get<Values>(), golden["batches"][b]["losses"], 1e-5, 1e-6));
    }
    for (std::size_t l = 0; l < golden["final"].size(); ++l) {
      for (const int part : {0, 1}) {
        EXPECT_TRUE(all_close(result["final"][l][part].get<Values>(), golden["final"][l][part],
                              1e-4, 1e-6));
      }
    }
    ++compared;
  }
  EXPECT_EQ(compared, 12);
}

}  // namespace
}  // namespace lpdm
