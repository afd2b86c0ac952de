// How whole runs collect their episodes: halves, normalisation, simulations that break down.
#include <gtest/gtest.h>

#include <cmath>

#include "lpdm/trainer.h"

namespace lpdm {
namespace {

Config small_config(const std::string& env) {
  Config config;
  config.env.id = env;
  config.env.count = 3;
  config.env.max_episode_steps = 40;
  config.algorithm.episodes_per_update = 5;
  config.network.hidden = {16, 24};
  config.run.threads = 1;
  config.run.diagnostics_every = 0;
  return config;
}

std::vector<double> trace(const Config& config) {
  Trainer trainer(config);
  std::vector<double> values;
  for (int i = 0; i < 5; ++i) {
    const IterationMetrics metrics = trainer.iterate();
    values.insert(values.end(), {static_cast<double>(metrics.env_steps), *metrics.return_mean,
                                 *metrics.length_mean, metrics.policy_loss});
  }
  return values;
}

TEST(TrainerRollout, ThreadsHalvesAndEnvironmentsChangeNothing) {
  for (const bool normalize : {false, true}) {
    Config config = small_config("Hopper-v4");
    config.env.normalize_observations = normalize;
    config.env.normalize_rewards = normalize;
    config.rollout.halves = Halves::kOff;
    const std::vector<double> plain = trace(config);
    config.rollout.halves = Halves::kOn;
    for (const std::int64_t threads : {1, 2, 3}) {
      for (const std::int64_t count : {2, 3, 20}) {
        config.run.threads = threads;
        config.env.count = count;
        EXPECT_EQ(plain, trace(config)) << threads << " threads, " << count << " environments";
      }
    }
  }
}

// The first iteration knows nothing yet; later ones see other observations, but report raw returns.
TEST(TrainerRollout, NormalisationStartsWithTheSecondIteration) {
  Config config = small_config("CartPole-v1");
  const std::vector<double> plain = trace(config);
  config.env.normalize_observations = true;
  const std::vector<double> observations = trace(config);
  EXPECT_EQ(std::vector<double>(plain.begin(), plain.begin() + 4),
            std::vector<double>(observations.begin(), observations.begin() + 4));
  EXPECT_NE(plain, observations);

  config.env.normalize_observations = false;
  config.env.normalize_rewards = true;
  config.algorithm.normalize_returns = false;
  Trainer trainer(config);
  const double first = trainer.iterate().policy_loss;
  const IterationMetrics second = trainer.iterate();
  EXPECT_EQ(second.return_mean, second.length_mean);  // CartPole pays 1 per step
  EXPECT_LT(second.policy_loss, first / 2.0);         // returns of about 10 become about 2
}

TEST(TrainerRollout, EvaluationUsesTheStatisticsAndDoesNotAddToThem) {
  Config config = small_config("CartPole-v1");
  config.env.normalize_observations = true;
  Trainer plain(config), evaluated(config);
  plain.iterate();
  evaluated.iterate();
  evaluated.evaluate(3, true);
  EXPECT_EQ(plain.normalization().observations->mean, evaluated.normalization().observations->mean);
  EXPECT_EQ(plain.iterate().policy_loss, evaluated.iterate().policy_loss);

  NormalizationState shifted = plain.normalization();
  for (double& mean : shifted.observations->mean) mean += 1.0;
  const double before = plain.evaluate(20, false).length_mean;
  plain.restore(plain.progress(), shifted, {});
  EXPECT_NE(before, plain.evaluate(20, false).length_mean);
}

TEST(TrainerRollout, DivergedEpisodesAreCountedAndTrainingGoesOn) {
  Config config = small_config("HalfCheetah-v4");
  config.env.options = {{"reset_noise_scale", {1e4}}};
  config.env.normalize_observations = true;
  Trainer trainer(config);
  for (int i = 0; i < 3; ++i) {
    const IterationMetrics metrics = trainer.iterate();
    EXPECT_EQ(metrics.diverged, 5);
    EXPECT_TRUE(std::isfinite(metrics.policy_loss));
    EXPECT_TRUE(std::isfinite(*metrics.return_mean));
  }
  config.env.options.clear();
  EXPECT_EQ(Trainer(config).iterate().diverged, 0);
}

}  // namespace
}  // namespace lpdm
