// The algorithms with a value head: what learns from what, and that nothing else depends on it.
#include <gtest/gtest.h>

#include <cmath>

#include "lpdm/error.h"
#include "lpdm/ppo.h"
#include "lpdm/reinforce.h"
#include "lpdm/trainer.h"
#include "test_backend.h"

namespace lpdm {
namespace {

std::vector<float> weights_of(Layer& layer) { return layer.parameters().values(); }

// A network with a value head and rows to learn from, on CartPole's shapes.
class ActorCritic : public ::testing::Test {
 protected:
  ActorCritic() {
    config_.network.hidden = {16, 12};
    config_.algorithm.ppo = {.horizon = 40, .epochs = 2, .minibatch = 16};
    config_.env.count = 2;
  }

  Network make_network() {
    Network network(
        *backend_, {.input = 4, .hidden = config_.network.hidden, .output = 2, .value_head = true});
    network.initialize(Initialization::kTorch, 3);
    return network;
  }

  HorizonRollout rollout() const {
    HorizonRollout rollout;
    rollout.horizon = 40;
    rollout.count = 2;
    for (int i = 0; i < 82; ++i) {
      for (int d = 0; d < 4; ++d) rollout.observations.push_back(std::sin(0.7F * i + d * d));
    }
    for (int i = 0; i < 80; ++i) {
      rollout.actions.push_back(static_cast<float>(i % 3 == 0));
      rollout.policy_outputs.insert(rollout.policy_outputs.end(), {0.1F, 0.0F});
      rollout.rewards.push_back(i % 3 == 0 ? 1.0F : 0.0F);
      rollout.terminated.push_back(i == 31);
      rollout.truncated.push_back(i == 60);
    }
    rollout.ends = {{.row = 31, .length = 15}, {.row = 60, .length = 30}};
    rollout.final_observations.assign(8, 0.5F);
    return rollout;
  }

  Batch batch() const {
    const HorizonRollout rows = rollout();
    Batch batch;
    batch.observation_size = 4;
    batch.action_width = 1;
    batch.observations.assign(rows.observations.begin(), rows.observations.begin() + 320);
    batch.actions = rows.actions;
    batch.rewards = rows.rewards;
    batch.episode_ends = {30, 80};
    batch.final_observations.assign(8, 0.5F);
    batch.truncated = {0, 1};
    return batch;
  }

  Config config_;
  ThreadPool pool_{1};
  std::unique_ptr<Backend> backend_ = make_test_backend(pool_);
  ActionSpace action_{.discrete = true, .size = 2, .low = {}, .high = {}};
};

TEST_F(ActorCritic, PpoRaisesTheShareOfRewardedActionsByEveryMethod) {
  for (const HiddenMethod method :
       {HiddenMethod::kLpdm, HiddenMethod::kBackprop, HiddenMethod::kFrozen}) {
    for (const LocalBatch local : {LocalBatch::kMinibatch, LocalBatch::kBuffer}) {
      config_.hidden.method = method;
      config_.hidden.batch = local;
      Network network = make_network();
      const std::vector<float> hidden = weights_of(network.hidden()[0]);
      Ppo ppo(*backend_, network, action_, config_);
      const UpdateReport first = ppo.update(rollout(), {.diagnostics = true});
      ASSERT_EQ(first.layers.size(), 2U);
      EXPECT_GT(first.layers[1].loss, 0.0);
      EXPECT_EQ(first.ppo->epochs, 2);
      EXPECT_NEAR(first.ppo->entropy, std::log(2.0), 0.05);
      UpdateReport last;
      for (int i = 0; i < 15; ++i) last = ppo.update(rollout());
      EXPECT_LT(last.policy_loss, first.policy_loss - 0.01);
      EXPECT_LT(*last.value_loss, *first.value_loss);
      EXPECT_TRUE(last.layers.empty());
      EXPECT_EQ(weights_of(network.hidden()[0]) == hidden, method == HiddenMethod::kFrozen);
    }
  }
}

TEST_F(ActorCritic, PpoStopsAtItsDivergenceBound) {
  config_.algorithm.ppo.epochs = 6;
  config_.algorithm.ppo.kl_stop = 1e-9;
  Network network = make_network();
  EXPECT_EQ(Ppo(*backend_, network, action_, config_).update(rollout()).ppo->epochs, 1);
}

// The first step of the first epoch sees the policy that collected: all ratios are one.
TEST_F(ActorCritic, PpoStartsFromRatiosOfOne) {
  config_.algorithm.ppo.epochs = 1;
  config_.algorithm.ppo.minibatch = 1000;  // more than there are
  config_.algorithm.ppo.normalize_advantages = true;
  Network network = make_network();
  LayerValues constant = network.head().values();
  std::ranges::fill(constant.weight, 0.0F);
  constant.bias = {0.1F, 0.0F};  // the logits that the rollout reports
  network.head().set_values(constant);
  const UpdateReport report = Ppo(*backend_, network, action_, config_).update(rollout());
  EXPECT_NEAR(report.ppo->kl, 0.0, 1e-12);
  EXPECT_EQ(report.ppo->clip_fraction, 0.0);
  EXPECT_NEAR(report.policy_loss, 0.0, 1e-6);  // minus the mean of standardised advantages
}

// Locality: a hidden layer's path does not depend on what is above it, under PPO neither.
TEST_F(ActorCritic, ALayerDoesNotSeeTheHeads) {
  for (const LocalBatch local : {LocalBatch::kMinibatch, LocalBatch::kBuffer}) {
    config_.hidden.batch = local;
    const auto first_layer = [&](std::int64_t second_width, double head_rate, double value_rate) {
      Config config = config_;
      config.network.hidden = {16, second_width};
      config.head.learning_rate = head_rate;
      config.value.learning_rate = value_rate;
      Network network(
          *backend_,
          {.input = 4, .hidden = config.network.hidden, .output = 2, .value_head = true});
      network.initialize(Initialization::kTorch, 3);
      Ppo ppo(*backend_, network, action_, config);
      for (int i = 0; i < 3; ++i) ppo.update(rollout());
      return weights_of(network.hidden()[0]);
    };
    EXPECT_EQ(first_layer(12, 1e-3, 1e-3), first_layer(7, 0.1, 0.5));
  }
}

TEST_F(ActorCritic, TheBaselineIsFittedAndLeavesLocalLayersAlone) {
  config_.algorithm.name = AlgorithmName::kReinforceBaseline;
  const auto run = [&](std::int64_t steps) {
    config_.value.steps = steps;
    Network network = make_network();
    Reinforce reinforce(*backend_, network, action_, config_);
    Batch ended = batch();
    ended.truncated = {0, 0};  // targets that do not move with the values
    double value_loss = 0.0;
    for (int i = 0; i < 40; ++i) value_loss = *reinforce.update(ended).value_loss;
    return std::pair(value_loss, weights_of(network.hidden()[1]));
  };
  const auto [loss_of_one, layer_of_one] = run(1);
  const auto [loss_of_ten, layer_of_ten] = run(10);
  EXPECT_LT(loss_of_ten, 0.8 * loss_of_one);
  EXPECT_EQ(layer_of_one, layer_of_ten);
}

TEST_F(ActorCritic, BackpropagationCarriesTheValueLossIntoTheSharedLayers) {
  config_.algorithm.name = AlgorithmName::kReinforceBaseline;
  config_.hidden.method = HiddenMethod::kBackprop;
  config_.value.steps = 1;
  const auto layer = [&](double weight) {
    config_.value.weight = weight;
    Network network = make_network();
    Reinforce(*backend_, network, action_, config_).update(batch());
    return weights_of(network.hidden()[0]);
  };
  EXPECT_NE(layer(0.0), layer(5.0));
}

TEST_F(ActorCritic, ABaselineNeedsToKnowHowEpisodesEnded) {
  config_.algorithm.name = AlgorithmName::kReinforceBaseline;
  Network network = make_network();
  Reinforce reinforce(*backend_, network, action_, config_);
  Batch incomplete = batch();
  incomplete.truncated.pop_back();
  EXPECT_THROW(reinforce.update(incomplete), Error);
  incomplete = batch();
  incomplete.final_observations.clear();
  EXPECT_THROW(reinforce.update(incomplete), Error);
}

TEST_F(ActorCritic, PpoHasNoWholeEpisodes) {
  config_.hidden.loss.block = LossBlock::kEpisode;
  Network network = make_network();
  EXPECT_THROW(Ppo(*backend_, network, action_, config_), UsageError);
}

TEST_F(ActorCritic, PpoNeedsARolloutThatFits) {
  Network network = make_network();
  Ppo ppo(*backend_, network, action_, config_);
  HorizonRollout wrong = rollout();
  wrong.horizon = 80;
  wrong.count = 1;
  EXPECT_THROW(ppo.update(wrong), Error);
  wrong = rollout();
  wrong.ends.pop_back();
  EXPECT_THROW(ppo.update(wrong), Error);
  wrong = rollout();
  wrong.terminated[5] = 1;
  EXPECT_THROW(ppo.update(wrong), Error);
  wrong = rollout();
  wrong.final_observations.pop_back();
  EXPECT_THROW(ppo.update(wrong), Error);
}

TEST_F(ActorCritic, PpoStopsWhereARewardIsNoNumber) {
  Network network = make_network();
  Ppo ppo(*backend_, network, action_, config_);
  HorizonRollout broken = rollout();
  broken.rewards[7] = std::nanf("");
  EXPECT_THROW(ppo.update(broken), NumericalError);
}

// ---- whole runs ---------------------------------------------------------------------------------

Config small_run(const std::string& overrides) {
  Config config = parse_config(overrides);
  config.network.hidden = {16, 12};
  config.algorithm.ppo.horizon = 48;
  config.algorithm.ppo.minibatch = 32;
  config.run.iterations = 5;
  return config;
}

std::vector<float> final_parameters(const Config& config) {
  Trainer trainer(config);
  for (std::int64_t i = 0; i < config.run.iterations; ++i) trainer.iterate();
  std::vector<float> all;
  const auto add = [&all](const std::vector<float>& values) {
    all.insert(all.end(), values.begin(), values.end());
  };
  for (Layer& layer : trainer.network().layers()) add(layer.parameters().values());
  if (Layer* value = trainer.network().value_head()) add(value->parameters().values());
  if (Parameters* log_std = trainer.network().log_std()) add(log_std->values());
  return all;
}

TEST(ActorCriticRun, TheSameSeedGivesTheSameRunForAnyNumberOfThreads) {
  for (const char* overrides :
       {R"({"algorithm": {"name": "reinforce_baseline", "episodes_per_update": 4}})",
        R"({"algorithm": {"name": "ppo"}, "env": {"count": 3}})",
        R"({"algorithm": {"name": "ppo"}, "hidden": {"method": "backprop"}})",
        R"({"algorithm": {"name": "ppo"}, "env": {"id": "Hopper-v4", "count": 2,
            "normalize_observations": true}, "policy": {"std": "learned"},
            "hidden": {"batch": "buffer", "guided": true, "pairs": "landmarks:8"}})"}) {
    Config config = small_run(overrides);
    config.run.threads = 1;
    const std::vector<float> one = final_parameters(config);
    for (const std::int64_t threads : {2, 3}) {
      config.run.threads = threads;
      EXPECT_EQ(one, final_parameters(config)) << overrides;
    }
    config.run.seed = 1;
    EXPECT_NE(one, final_parameters(config));
  }
}

TEST(ActorCriticRun, ALearnedStdStartsWhereItIsToldAndMoves) {
  Config config = small_run(R"({"env": {"id": "InvertedPendulum-v4"},
                                "algorithm": {"name": "ppo"}, "policy": {"std": "learned"}})");
  config.policy.initial_std = 0.25;
  Trainer trainer(config);
  EXPECT_NEAR(trainer.network().log_std()->values().front(), std::log(0.25), 1e-6);
  trainer.iterate();
  EXPECT_NE(trainer.network().log_std()->values().front(), static_cast<float>(std::log(0.25)));
  config.policy.std = 0.25;
  Trainer fixed(config);
  EXPECT_EQ(fixed.network().log_std(), nullptr);
}

TEST(ActorCriticRun, ALinearScheduleEndsAtNothing) {
  Config config = small_run(R"({"schedule": {"learning_rate": "linear"}})");
  EXPECT_EQ(config.schedule.factor(0, 8), 1.0);
  EXPECT_EQ(config.schedule.factor(6, 8), 0.25);
  const std::vector<float> linear = final_parameters(config);
  config.schedule.learning_rate = RateSchedule::kConstant;
  EXPECT_NE(linear, final_parameters(config));
  config.run.iterations = 1;
  const std::vector<float> first = final_parameters(config);
  config.schedule.learning_rate = RateSchedule::kLinear;
  EXPECT_EQ(first, final_parameters(config));
}

TEST(ActorCriticRun, EvaluationsComeAtTheirInterval) {
  Config config = small_run(R"({"algorithm": {"name": "ppo"}})");
  const std::vector<float> alone = final_parameters(config);
  config.run.eval_every = 2;
  config.run.eval_episodes = 3;
  EXPECT_EQ(alone, final_parameters(config));
  Trainer trainer(config);
  EXPECT_FALSE(trainer.iterate().evaluation);
  const auto evaluation = trainer.iterate().evaluation;
  ASSERT_TRUE(evaluation);
  EXPECT_EQ(evaluation->episodes, 3);
  EXPECT_EQ(evaluation->return_mean, trainer.evaluate(3, true).return_mean);
}

}  // namespace
}  // namespace lpdm
