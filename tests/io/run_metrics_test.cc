#include "io/run_metrics.h"

#include <gtest/gtest.h>

namespace lpdm {
namespace {

TEST(MovingReturn, AveragesAFullWindowAndRemembersItsBest) {
  MovingReturn mean(3);
  EXPECT_EQ(mean.latest(), 0.0);
  mean.add(9, 1);
  EXPECT_EQ(mean.latest(), 9.0);
  EXPECT_FALSE(mean.best());  // one lucky episode is not a mean of three
  mean.add(3, 2);
  mean.add(0, 3);
  EXPECT_EQ(mean.best(), 4.0);
  mean.add(6, 4);
  EXPECT_EQ(mean.latest(), 3.0);
  EXPECT_EQ(mean.best(), 4.0);
  EXPECT_EQ(mean.best_iteration(), 3);
  mean.add(9, 5);
  EXPECT_EQ(mean.best(), 5.0);
  EXPECT_EQ(mean.best_iteration(), 5);
}

TEST(MetricsJson, HasEveryFieldOfTheContract) {
  IterationMetrics metrics;
  metrics.iteration = 4;
  metrics.layers = {{.loss = 1.5,
                     .correlation = 0.5,
                     .mean_distance = 0.25,
                     .mean_abs = 0.75,
                     .saturated = 0.0,
                     .gradient_norm = 2.0}};
  const Json json = metrics_json(metrics, 1);
  EXPECT_TRUE(json["return_mean"].is_null());
  EXPECT_EQ(json["layers"].dump(),
            R"([{"loss":1.5,"correlation":0.5,"mean_distance":0.25,"mean_abs":0.75,)"
            R"("saturated":0.0,"gradient_norm":2.0}])");
  metrics.layers.clear();
  const Json between = metrics_json(metrics, 2);
  ASSERT_EQ(between["layers"].size(), 2U);
  EXPECT_TRUE(between["layers"][1]["gradient_norm"].is_null());
  for (const char* key : {"iteration", "env_steps", "episodes", "diverged", "length_mean",
                          "rollout_seconds", "update_seconds", "policy_loss"}) {
    EXPECT_TRUE(between.contains(key)) << key;
  }
}

}  // namespace
}  // namespace lpdm
