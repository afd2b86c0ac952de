// The whole matrices of an episode against the engine's own loss and correlation of the same rows.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "lpdm/trainer.h"
#include "test_backend.h"

namespace lpdm {
namespace {

Config config_of(const std::string& text) {
  Config config = parse_config(text);
  config.network.hidden = {16, 24};
  config.run.threads = 1;
  return config;
}

Trainer trainer_of(const Config& config) {
  return Trainer(config, BackendFactory([](ThreadPool& pool) { return make_test_backend(pool); }));
}

double correlation(const std::vector<float>& a, const std::vector<float>& b) {
  const auto n = static_cast<double>(a.size());
  double sum_a = 0, sum_b = 0, sum_ab = 0, sum_aa = 0, sum_bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    sum_a += a[i];
    sum_b += b[i];
    sum_ab += static_cast<double>(a[i]) * b[i];
    sum_aa += static_cast<double>(a[i]) * a[i];
    sum_bb += static_cast<double>(b[i]) * b[i];
  }
  return (sum_ab - sum_a * sum_b / n) /
         std::sqrt((sum_aa - sum_a * sum_a / n) * (sum_bb - sum_b * sum_b / n));
}

// ‖T / in − D̄_Y / out‖, scale own.
double loss(const EpisodeDistances& distances, const LayerDistances& layer, double in) {
  double squares = 0.0;
  for (std::size_t i = 0; i < distances.target.size(); ++i) {
    const double error =
        distances.target[i] / in - layer.distances[i] / static_cast<double>(layer.width);
    squares += error * error;
  }
  return std::sqrt(squares);
}

void expect_consistent(const std::string& text) {
  SCOPED_TRACE(text);
  Trainer trainer = trainer_of(config_of(text));
  trainer.iterate();
  const EpisodeDistances distances = trainer.episode_distances(1000);
  const auto n = static_cast<std::size_t>(distances.rows);
  ASSERT_GT(n, 1U);
  EXPECT_EQ(distances.rows, distances.length);
  ASSERT_EQ(distances.target.size(), n * n);
  EXPECT_NEAR(std::ranges::max(distances.target), 1.0, 1e-6);
  ASSERT_EQ(distances.layers.size(), 2U);
  for (const LayerDistances& layer : distances.layers) {
    ASSERT_EQ(layer.distances.size(), n * n);
    EXPECT_NEAR(std::ranges::max(layer.distances), 1.0, 1e-5);
    for (std::size_t i = 0; i < n; ++i) {
      EXPECT_EQ(layer.distances[i * n + i], 0.0F);
      EXPECT_EQ(layer.distances[i], layer.distances[i * n]);
    }
    EXPECT_NEAR(layer.correlation, correlation(distances.target, layer.distances), 1e-4);
    const auto in = static_cast<double>(trainer.environment().observation_size);
    EXPECT_NEAR(layer.loss, loss(distances, layer, in), 1e-4 * layer.loss);
  }
}

TEST(DistanceMatrices, AgreeWithTheEnginesLossAndCorrelation) {
  expect_consistent("{}");
  expect_consistent(R"({"hidden": {"guided": true}})");
  expect_consistent(R"({"hidden": {"guided": true, "guide_base": "raw", "metric": "l2"}})");
  expect_consistent(R"({"hidden": {"guided": true}, "algorithm": {"name": "reinforce_baseline"}})");
  expect_consistent(R"({"hidden": {"method": "backprop"}, "env": {"id": "Hopper-v4"}})");
}

TEST(DistanceMatrices, LongEpisodesAreThinnedOut) {
  Trainer trainer = trainer_of(config_of("{}"));
  const EpisodeDistances distances = trainer.episode_distances(5);
  EXPECT_EQ(distances.rows, 5);
  EXPECT_GT(distances.length, 5);
  EXPECT_EQ(distances.target.size(), 25U);
}

TEST(DistanceMatrices, LookingAtThemDoesNotDisturbTheRun) {
  Trainer looked = trainer_of(config_of("{}"));
  Trainer left = trainer_of(config_of("{}"));
  looked.iterate();
  left.iterate();
  looked.episode_distances(100);
  EXPECT_EQ(looked.iterate().policy_loss, left.iterate().policy_loss);
}

TEST(RowSample, ComesWithTheDiagnosticsIfTensorBoardIsWanted) {
  Config config = config_of(R"({"run": {"diagnostics_every": 2}})");
  Trainer trainer = trainer_of(config);
  const IterationMetrics first = trainer.iterate();
  ASSERT_TRUE(first.sample);
  EXPECT_EQ(first.sample->rows, std::min<std::int64_t>(64, first.env_steps));
  EXPECT_EQ(first.sample->observations.size(), static_cast<std::size_t>(4 * first.sample->rows));
  ASSERT_EQ(first.sample->outputs.size(), 2U);
  EXPECT_EQ(first.sample->outputs[1].size(), static_cast<std::size_t>(24 * first.sample->rows));
  EXPECT_FALSE(trainer.iterate().sample);
  config.run.tensorboard = false;
  EXPECT_FALSE(trainer_of(config).iterate().sample);
}

}  // namespace
}  // namespace lpdm
