// Whole runs in memory: determinism, learning, diagnostics, and errors.
#include "lpdm/trainer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "lpdm/error.h"
#include "lpdm/reinforce.h"

namespace lpdm {
namespace {

Config small_config(const std::string& overrides = "{}") {
  Config config = parse_config(overrides);
  config.network.hidden = {16, 24};
  config.run.iterations = 6;
  config.run.threads = 1;
  config.run.diagnostics_every = 2;
  return config;
}

// Everything a run reports except its timings.
std::vector<double> trace(const Config& config) {
  Trainer trainer(config);
  std::vector<double> values;
  for (std::int64_t i = 0; i < config.run.iterations; ++i) {
    const IterationMetrics metrics = trainer.iterate();
    values.insert(values.end(), {static_cast<double>(metrics.env_steps), *metrics.return_mean,
                                 *metrics.length_mean, metrics.policy_loss});
    for (const LayerDiagnostics& layer : metrics.layers) {
      values.insert(values.end(), {layer.loss, layer.correlation, layer.mean_distance,
                                   layer.mean_abs, layer.saturated, layer.gradient_norm});
    }
  }
  for (const Layer& layer : trainer.network().layers()) {
    const LayerValues parameters = layer.values();
    values.insert(values.end(), parameters.weight.begin(), parameters.weight.end());
    values.insert(values.end(), parameters.bias.begin(), parameters.bias.end());
  }
  return values;
}

TEST(Trainer, TheSameSeedGivesTheSameRunForAnyNumberOfThreads) {
  for (const char* overrides :
       {"{}", R"({"hidden": {"guided": true, "pairs": "landmarks:8"}})",
        R"({"hidden": {"method": "backprop"}})", R"({"env": {"id": "Hopper-v4"}})"}) {
    Config config = small_config(overrides);
    config.algorithm.episodes_per_update = 5;
    for (const std::int64_t count : {1, 3}) {
      SCOPED_TRACE(overrides + std::string(" environments: ") + std::to_string(count));
      config.env.count = count;
      config.run.threads = 1;
      const std::vector<double> one = trace(config);
      for (const std::int64_t threads : {2, 4}) {
        config.run.threads = threads;
        EXPECT_EQ(one, trace(config)) << threads << " threads";
      }
    }
  }
}

TEST(Trainer, TheNumberOfEnvironmentsDoesNotChangeTheEpisodes) {
  Config config = small_config();
  config.algorithm.episodes_per_update = 7;
  const std::vector<double> one = trace(config);
  config.env.count = 2;
  const std::vector<double> two = trace(config);
  for (const std::int64_t count : {7, 11}) {
    config.env.count = count;
    EXPECT_EQ(two, trace(config)) << count << " environments";
  }
  // The update of one environment takes its forward pass from the rollout, where sums round
  // otherwise.
  ASSERT_EQ(one.size(), two.size());
  for (std::size_t k = 0; k < one.size(); ++k) {
    EXPECT_NEAR(one[k], two[k], 1e-4 * std::max(1.0, std::abs(two[k]))) << "number " << k;
  }
}

TEST(Trainer, SeedsDiffer) {
  Config config = small_config();
  const std::vector<double> first = trace(config);
  config.run.seed = 1;
  EXPECT_NE(first, trace(config));
}

TEST(Trainer, DiagnosticsAreReportedForEveryMethod) {
  for (const HiddenMethod method :
       {HiddenMethod::kLpdm, HiddenMethod::kBackprop, HiddenMethod::kFrozen}) {
    Config config = small_config();
    config.hidden.method = method;
    Trainer trainer(config);
    const IterationMetrics first = trainer.iterate();
    ASSERT_EQ(first.layers.size(), 2U);
    for (const LayerDiagnostics& layer : first.layers) {
      EXPECT_GT(layer.loss, 0.0);
      EXPECT_GT(layer.correlation, 0.5);  // random features keep the geometry of their input
      EXPECT_LE(layer.correlation, 1.0);
      EXPECT_GT(layer.mean_distance, 0.0);
      EXPECT_LT(layer.mean_distance, 1.0);
      EXPECT_GT(layer.mean_abs, 0.0);
      EXPECT_EQ(layer.gradient_norm > 0.0, method != HiddenMethod::kFrozen);
    }
    EXPECT_TRUE(trainer.iterate().layers.empty());
  }
}

TEST(Trainer, DiagnosticsDoNotChangeTheRun) {
  for (const HiddenMethod method : {HiddenMethod::kLpdm, HiddenMethod::kBackprop}) {
    Config config = small_config();
    config.hidden.method = method;
    const auto weights = [](const Config& c) {
      Trainer trainer(c);
      for (int i = 0; i < 5; ++i) trainer.iterate();
      return trainer.network().layers()[0].values().weight;
    };
    const std::vector<float> with = weights(config);
    config.run.diagnostics_every = 0;
    EXPECT_EQ(with, weights(config));
  }
}

TEST(Trainer, FrozenHiddenLayersStayAndTheHeadLearns) {
  Config config = small_config();
  config.hidden.method = HiddenMethod::kFrozen;
  Trainer trainer(config);
  const std::vector<float> hidden = trainer.network().hidden()[0].values().weight;
  const std::vector<float> head = trainer.network().head().values().weight;
  for (int i = 0; i < 3; ++i) trainer.iterate();
  EXPECT_EQ(hidden, trainer.network().hidden()[0].values().weight);
  EXPECT_NE(head, trainer.network().head().values().weight);
}

TEST(Trainer, NetworksOfAnyDepthAndActivationLearn) {
  for (const Activation activation : {Activation::kTanh, Activation::kRelu}) {
    for (const HiddenMethod method : {HiddenMethod::kLpdm, HiddenMethod::kBackprop}) {
      for (const std::size_t depth : {1, 4, 16}) {
        Config config = small_config();
        config.network.hidden = std::vector<std::int64_t>(depth, 9);
        config.network.hidden.front() = 70;  // widths need not be alike
        config.network.activation = activation;
        config.hidden.method = method;
        Trainer trainer(config);
        std::vector<std::vector<float>> before;
        for (Layer& layer : trainer.network().layers()) before.push_back(layer.values().weight);
        EXPECT_EQ(trainer.iterate().layers.size(), depth);
        trainer.iterate();
        for (std::size_t l = 0; l <= depth; ++l) {
          EXPECT_NE(before[l], trainer.network().layers()[l].values().weight)
              << "layer " << l << " of " << depth;
        }
      }
    }
  }
}

TEST(Trainer, LayersLearnAtTheirOwnRates) {
  Config config = small_config();
  config.hidden.learning_rate = {.values = {0.0, 1e-3}};
  Trainer trainer(config);
  const std::vector<float> first = trainer.network().hidden()[0].values().weight;
  const std::vector<float> second = trainer.network().hidden()[1].values().weight;
  trainer.iterate();
  EXPECT_EQ(first, trainer.network().hidden()[0].values().weight);
  EXPECT_NE(second, trainer.network().hidden()[1].values().weight);
}

// Locality: layer 1 follows the same path to the last bit, whatever layer 2 and the head are.
TEST(Trainer, ALayerDoesNotSeeWhatIsAboveIt) {
  const auto first_layer = [](std::int64_t second_width, double head_rate) {
    Config config = small_config();
    config.network.hidden = {16, second_width};
    config.head.learning_rate = head_rate;
    ThreadPool pool(1);
    const auto backend = make_cpu_backend(pool);
    Network network(*backend, {.input = 4, .hidden = config.network.hidden, .output = 2});
    network.initialize(Initialization::kTorch, 3);
    const ActionSpace action{.discrete = true, .size = 2, .low = {}, .high = {}};
    Reinforce reinforce(*backend, network, action, config);
    Batch batch;
    batch.observation_size = 4;
    batch.action_width = 1;
    for (int i = 0; i < 80; ++i) {
      for (int d = 0; d < 4; ++d) batch.observations.push_back(std::sin(0.7F * i + d * d));
      batch.actions.push_back(static_cast<float>(i % 2));
      batch.rewards.push_back(1.0F);
    }
    batch.episode_ends = {80};
    for (int i = 0; i < 5; ++i) reinforce.update(batch);
    return network.hidden()[0].values().weight;
  };
  EXPECT_EQ(first_layer(24, 1e-3), first_layer(7, 0.1));
}

TEST(Trainer, EvaluationLeavesTrainingAlone) {
  Config config = small_config();
  Trainer plain(config), evaluated(config);
  plain.iterate();
  evaluated.iterate();
  const EvaluationReport sampled = evaluated.evaluate(4, false);
  EXPECT_EQ(sampled.episodes, 4);
  EXPECT_LE(sampled.return_min, sampled.return_mean);
  EXPECT_GE(sampled.return_max, sampled.return_mean);
  EXPECT_EQ(sampled.length_mean, sampled.return_mean);  // CartPole pays 1 per step
  EXPECT_EQ(evaluated.evaluate(4, true).return_mean, evaluated.evaluate(4, true).return_mean);
  EXPECT_EQ(plain.iterate().policy_loss, evaluated.iterate().policy_loss);
}

TEST(Trainer, RefusesWhatIsNotThere) {
  Config config = small_config();
  config.run.device = "cuda";
  EXPECT_THROW(Trainer{config}, UsageError);
  config = small_config();
  config.env.id = "CartPole-v9";
  EXPECT_THROW(Trainer{config}, UsageError);
}

TEST(Trainer, StopsOnNonFiniteRates) {
  Config config = small_config();
  config.network.activation = Activation::kRelu;
  config.hidden.learning_rate = {.values = {1e30}};
  config.hidden.grad_clip = 0.0;
  Trainer trainer(config);
  EXPECT_THROW(
      {
        for (int i = 0; i < 5; ++i) trainer.iterate();
      },
      NumericalError);
}

}  // namespace
}  // namespace lpdm
