// Updates on fixed batches beside those of the CPU backend, and beside themselves.
#include <gtest/gtest.h>

#include <cmath>
#include <memory>

#include "lpdm/config.h"
#include "lpdm/network.h"
#include "lpdm/ppo.h"
#include "lpdm/reinforce.h"
#include "reference/closeness.h"
#include "test_backend.h"

namespace lpdm {
namespace {

constexpr std::int64_t kInputs = 5;
constexpr std::int64_t kActions = 2;

float wave(int i) {
  return std::sin(0.37F * static_cast<float>(i) + 0.01F * static_cast<float>(i % 17));
}

// Episodes of continuous actions.
Batch batch_of(int number, int rows) {
  Batch batch{.observation_size = kInputs,
              .action_width = kActions,
              .observations = {},
              .actions = {},
              .rewards = {},
              .episode_ends = {rows / 3, rows},
              .final_observations = std::vector<float>(2 * kInputs, 0.25F),
              .truncated = {0, 1}};
  for (int i = 0; i < rows; ++i) {
    for (int d = 0; d < kInputs; ++d) batch.observations.push_back(wave(31 * number + 5 * i + d));
    for (int a = 0; a < kActions; ++a) batch.actions.push_back(wave(7 * number + 3 * i + a));
    batch.rewards.push_back(1.0F + wave(number + i));
  }
  return batch;
}

// Their length depends on `number`.
Batch batch_of(int number) { return batch_of(number, 40 + 7 * (number % 4)); }

HorizonRollout rollout_of(int number) {
  HorizonRollout rollout;
  rollout.horizon = 30;
  rollout.count = 2;
  for (int i = 0; i < 62 * kInputs; ++i) rollout.observations.push_back(wave(number + i));
  for (int i = 0; i < 60; ++i) {
    for (int a = 0; a < kActions; ++a) {
      rollout.actions.push_back(wave(3 * i + a + number));
      rollout.policy_outputs.push_back(0.1F * wave(i + a));
    }
    rollout.rewards.push_back(wave(i * i + number));
    rollout.terminated.push_back(i == 31);
    rollout.truncated.push_back(i == 44);
  }
  rollout.ends = {{.row = 31, .length = 15}, {.row = 44, .length = 22}};
  rollout.final_observations.assign(2 * kInputs, 0.5F);
  return rollout;
}

struct Outcome {
  std::vector<std::vector<float>> parameters;
  std::vector<double> losses;
};

const ActionSpace& action_space() {
  static const ActionSpace action{.discrete = false, .size = kActions, .low = {}, .high = {}};
  return action;
}

Network fresh_network(Backend& backend, const Config& config) {
  Network network(backend, {.input = kInputs,
                            .hidden = {12, 9},
                            .output = kActions,
                            .value_head = config.algorithm.has_value_head(),
                            .learned_std = !config.policy.std});
  network.initialize(Initialization::kTorch, 5);
  return network;
}

std::vector<std::vector<float>> parameters_of(Network& network) {
  std::vector<std::vector<float>> all;
  for (Layer& layer : network.layers()) all.push_back(layer.parameters().values());
  if (Layer* value = network.value_head()) all.push_back(value->parameters().values());
  return all;
}

// `updates` updates of a fresh network; diagnostics in every third.
Outcome train(Backend& backend, const Config& config, int updates) {
  Network network = fresh_network(backend, config);
  Outcome outcome;
  const auto note = [&outcome](const UpdateReport& report) {
    outcome.losses.push_back(report.policy_loss);
    for (const LayerDiagnostics& layer : report.layers) {
      outcome.losses.insert(outcome.losses.end(),
                            {layer.loss, layer.correlation, layer.mean_abs, layer.gradient_norm});
    }
  };
  const auto options = [](int number) {
    return UpdateOptions{.diagnostics = number % 3 == 2,
                         .rate_factor = 1.0 / (1.0 + 0.01 * number)};
  };
  if (config.algorithm.name == AlgorithmName::kPpo) {
    Ppo ppo(backend, network, action_space(), config);
    for (int k = 0; k < updates; ++k) note(ppo.update(rollout_of(k), options(k)));
  } else {
    Reinforce reinforce(backend, network, action_space(), config);
    for (int k = 0; k < updates; ++k) note(reinforce.update(batch_of(k), options(k)));
  }
  outcome.parameters = parameters_of(network);
  return outcome;
}

struct Setting {
  const char* name;
  const char* config;
  int updates;  // before two pairs tie for the largest distance, or two outputs of a unit, but for
                // rounding, which then decides
};

class TrainingParity : public ::testing::TestWithParam<Setting> {};

TEST_P(TrainingParity, FollowsTheCpuAndRepeatsItself) {
  Config config = parse_config(GetParam().config);
  ThreadPool pool(1);
  const auto cpu = make_backend("cpu", pool);
  const int updates = test_backend_is_slow() ? GetParam().updates / 4 : GetParam().updates;
  const Outcome expected = train(*cpu, config, updates);
  const Outcome actual = train(*make_test_backend(pool), config, updates);
  ASSERT_EQ(actual.parameters.size(), expected.parameters.size());
  for (std::size_t k = 0; k < expected.parameters.size(); ++k) {
    const std::vector<float>& values = expected.parameters[k];
    EXPECT_TRUE(reference::all_close(actual.parameters[k],
                                     std::vector<double>(values.begin(), values.end()), 1e-5, 0.0))
        << "group " << k;
  }
  EXPECT_TRUE(reference::all_close(actual.losses, expected.losses, 1e-5, 0.0));

  const Outcome again = train(*make_test_backend(pool), config, updates);
  EXPECT_EQ(again.parameters, actual.parameters);
  EXPECT_EQ(again.losses, actual.losses);
}

// Sizes go up and down, each with a recording of its own; only what is diagnosed has a guided
// target. A recording that works on released memory is for the sanitizers to find.
TEST(Training, DiagnosesBatchesOfAnySizeAsTheCpuDoes) {
  const Config config =
      parse_config(R"({"hidden": {"method": "frozen", "guided": true, "pairs": "landmarks:8"}})");
  ThreadPool pool(1);
  const auto losses = [&](Backend& backend) {
    Network network = fresh_network(backend, config);
    Reinforce updates(backend, network, action_space(), config);
    updates.update(batch_of(0, 300), {});
    std::vector<double> found;
    for (const int rows : {50, 50, 50, 100, 50, 200, 100, 50}) {
      const UpdateReport report = updates.update(batch_of(rows, rows), {.diagnostics = true});
      for (const LayerDiagnostics& layer : report.layers) found.push_back(layer.loss);
    }
    return found;
  };
  EXPECT_TRUE(reference::all_close(losses(*make_test_backend(pool)),
                                   losses(*make_backend("cpu", pool)), 1e-5, 0.0));
}

// A run that goes on in a new process has not seen the long batches before.
TEST(Training, GoesOnAfterLongBatchesAsIfThereHadBeenNone) {
  for (const char* settings :
       {"{}", R"({"hidden": {"pairs": "landmarks:16"}})", R"({"hidden": {"method": "backprop"}})",
        R"({"algorithm": {"name": "reinforce_baseline"}, "value": {"steps": 2}})"}) {
    const Config config = parse_config(settings);
    ThreadPool pool(1);
    const auto backend = make_test_backend(pool);
    const auto trained = [&](bool in_two_processes) {
      Network network = fresh_network(*backend, config);
      auto updates = std::make_unique<Reinforce>(*backend, network, action_space(), config);
      updates->update(batch_of(0, 700), {});
      if (in_two_processes) {
        updates = std::make_unique<Reinforce>(*backend, network, action_space(), config);
        updates->set_iteration(1);
      }
      for (int k = 1; k < 5; ++k) updates->update(batch_of(k), {});
      return parameters_of(network);
    };
    EXPECT_EQ(trained(true), trained(false)) << settings;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Settings, TrainingParity,
    ::testing::Values(
        Setting{"all_pairs", "{}", 100},
        Setting{"guided_landmarks", R"({"hidden": {"guided": true, "pairs": "landmarks:16"}})",
                100},
        Setting{"many_landmarks", R"({"hidden": {"pairs": "landmarks:70"},
                                      "algorithm": {"episodes_per_update": 5}})",
                20},
        Setting{"backprop", R"({"hidden": {"method": "backprop"}})", 100},
        Setting{"baseline",
                R"({"algorithm": {"name": "reinforce_baseline"}, "policy": {"std": "learned"},
                    "hidden": {"guided": true}, "value": {"steps": 2}})",
                20},
        Setting{"ppo",
                R"({"algorithm": {"name": "ppo", "ppo": {"horizon": 30, "epochs": 2,
                    "minibatch": 16, "value_clip": 0.2, "kl_weight": 0.1}}, "env": {"count": 2}})",
                20},
        Setting{"ppo_buffer",
                R"({"algorithm": {"name": "ppo", "ppo": {"horizon": 30, "epochs": 2,
                    "minibatch": 16}}, "hidden": {"batch": "buffer", "pairs": "landmarks:8"},
                    "env": {"count": 2}})",
                20}),
    [](const auto& setting) { return std::string(setting.param.name); });

}  // namespace
}  // namespace lpdm
