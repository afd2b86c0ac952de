// Losses of policy and value against float64 references and finite differences, and PPO's ratio,
// clip and divergence at known inputs.
#include <gtest/gtest.h>

#include <cmath>

#include "lpdm/backend.h"
#include "lpdm/random.h"
#include "reference/closeness.h"
#include "reference/policy_losses.h"
#include "test_backend.h"

namespace lpdm {
namespace {

using reference::all_close;
using reference::PolicyBatch;
using reference::Values;

constexpr double kRelative = 2e-6;  // of float32 gradients
constexpr double kAbsolute = 1e-9;

class PolicyLoss : public ::testing::TestWithParam<bool> {
 protected:
  bool discrete() const { return GetParam(); }

  DeviceArray<float> upload(const Values& values) {
    DeviceArray<float> array(*backend_, static_cast<std::int64_t>(values.size()));
    array.write(std::vector<float>(values.begin(), values.end()));
    return array;
  }

  // Numbers that are the same in float32.
  Values draw(std::size_t size, double scale) {
    Values values(size);
    for (double& value : values) value = static_cast<float>(scale * random_.normal());
    return values;
  }

  PolicyBatch batch(std::int64_t n, std::int64_t outputs) {
    const auto size = static_cast<std::size_t>(n * outputs);
    PolicyBatch batch;
    batch.n = n;
    batch.outputs = draw(size, 1.0);
    batch.weights = draw(static_cast<std::size_t>(n), 1.5);
    batch.old_outputs = batch.outputs;
    for (double& value : batch.old_outputs)
      value = static_cast<float>(value + 0.2 * random_.normal());
    if (discrete()) {
      for (std::int64_t i = 0; i < n; ++i) {
        batch.actions.push_back(std::floor(random_.uniform() * static_cast<double>(outputs)));
      }
    } else {
      batch.actions = draw(size, 1.0);
      batch.log_std = draw(static_cast<std::size_t>(outputs), 0.3);
      batch.old_log_std = draw(static_cast<std::size_t>(outputs), 0.3);
    }
    return batch;
  }

  struct Result {
    PpoLossStatistics statistics;
    std::vector<float> delta;
    std::vector<float> log_std_gradient;
  };

  Result run_ppo(const PolicyBatch& batch, const PpoObjective& objective) {
    const auto outputs = static_cast<std::int64_t>(batch.outputs.size()) / batch.n;
    DeviceArray<std::int64_t> count(*backend_, 1);
    count.write(std::vector<std::int64_t>{batch.n});
    const auto now = upload(batch.outputs), old = upload(batch.old_outputs),
               actions = upload(batch.actions), advantages = upload(batch.weights),
               log_std = upload(batch.log_std), old_log_std = upload(batch.old_log_std);
    DeviceArray<float> delta(*backend_, batch.n * outputs), std_gradient(*backend_, outputs);
    DeviceArray<PpoLossStatistics> statistics(*backend_, 1);
    if (discrete()) {
      backend_->ppo_categorical_loss({.rows = {count.data(), batch.n},
                                      .actions_count = outputs,
                                      .logits = now.data(),
                                      .old_logits = old.data(),
                                      .actions = actions.data(),
                                      .advantages = advantages.data(),
                                      .objective = objective,
                                      .delta = delta.data(),
                                      .statistics = statistics.data()});
    } else {
      backend_->ppo_gaussian_loss({.rows = {count.data(), batch.n},
                                   .dimensions = outputs,
                                   .log_std = log_std.data(),
                                   .old_log_std = old_log_std.data(),
                                   .log_std_gradient = std_gradient.data(),
                                   .mean = now.data(),
                                   .old_mean = old.data(),
                                   .actions = actions.data(),
                                   .advantages = advantages.data(),
                                   .objective = objective,
                                   .delta = delta.data(),
                                   .statistics = statistics.data()});
    }
    return {statistics.read().front(), delta.read(), std_gradient.read()};
  }

  ThreadPool pool_{1};
  std::unique_ptr<Backend> backend_ = make_test_backend(pool_);
  RandomStream random_{5, {.purpose = StreamPurpose::kBenchmark}};
};

TEST_P(PolicyLoss, PpoAgreesWithItsDefinition) {
  for (const std::int64_t n : {1, 7, 40}) {
    for (const PpoObjective& objective :
         {PpoObjective{}, PpoObjective{.clip = 0.05, .kl_weight = 0.7, .entropy_weight = 0.3}}) {
      const PolicyBatch inputs = batch(n, 3);
      const Result result = run_ppo(inputs, objective);
      const reference::PpoTerms terms = reference::ppo_loss(inputs, objective.clip);
      EXPECT_NEAR(result.statistics.surrogate, terms.surrogate, 1e-10);
      EXPECT_NEAR(result.statistics.kl, terms.kl, 1e-10);
      EXPECT_NEAR(result.statistics.entropy, terms.entropy, 1e-10);
      const auto of_outputs = [&](const Values& outputs) {
        PolicyBatch moved = inputs;
        moved.outputs = outputs;
        return reference::ppo_loss(moved, objective.clip).total(objective);
      };
      EXPECT_TRUE(all_close(result.delta, reference::numerical_gradient(of_outputs, inputs.outputs),
                            kRelative, kAbsolute));
      if (discrete()) continue;
      const auto of_std = [&](const Values& log_std) {
        PolicyBatch moved = inputs;
        moved.log_std = log_std;
        return reference::ppo_loss(moved, objective.clip).total(objective);
      };
      EXPECT_TRUE(all_close(result.log_std_gradient,
                            reference::numerical_gradient(of_std, inputs.log_std), kRelative,
                            kAbsolute));
    }
  }
}

TEST_P(PolicyLoss, ReinforceAgreesWithItsDefinition) {
  const PolicyBatch inputs = batch(23, 4);
  DeviceArray<std::int64_t> count(*backend_, 1);
  count.write(std::vector<std::int64_t>{inputs.n});
  const auto outputs = upload(inputs.outputs), actions = upload(inputs.actions),
             weights = upload(inputs.weights), log_std = upload(inputs.log_std);
  DeviceArray<float> delta(*backend_, inputs.n * 4), std_gradient(*backend_, 4);
  DeviceArray<double> loss(*backend_, 1);
  if (discrete()) {
    backend_->categorical_loss({.rows = {count.data(), inputs.n},
                                .actions_count = 4,
                                .logits = outputs.data(),
                                .actions = actions.data(),
                                .weights = weights.data(),
                                .delta = delta.data(),
                                .loss = loss.data()});
  } else {
    backend_->gaussian_loss({.rows = {count.data(), inputs.n},
                             .dimensions = 4,
                             .log_std = log_std.data(),
                             .log_std_gradient = std_gradient.data(),
                             .mean = outputs.data(),
                             .actions = actions.data(),
                             .weights = weights.data(),
                             .delta = delta.data(),
                             .loss = loss.data()});
  }
  EXPECT_NEAR(loss.read().front(), reference::reinforce_loss(inputs), 1e-10);
  const auto of_outputs = [&](const Values& values) {
    PolicyBatch moved = inputs;
    moved.outputs = values;
    return reference::reinforce_loss(moved);
  };
  EXPECT_TRUE(all_close(delta.read(), reference::numerical_gradient(of_outputs, inputs.outputs),
                        kRelative, kAbsolute));
  if (discrete()) return;
  const auto of_std = [&](const Values& values) {
    PolicyBatch moved = inputs;
    moved.log_std = values;
    return reference::reinforce_loss(moved);
  };
  EXPECT_TRUE(all_close(std_gradient.read(), reference::numerical_gradient(of_std, inputs.log_std),
                        kRelative, kAbsolute));
}

INSTANTIATE_TEST_SUITE_P(Actions, PolicyLoss, ::testing::Bool(), [](const auto& param_info) {
  return param_info.param ? "Categorical" : "Gaussian";
});

// Two actions with probabilities ½ before and ¾ for the first now: the ratio of the first is 1.5,
// that of the second ½.
class PpoAtKnownInputs : public PolicyLoss {
 protected:
  Result at(double action, double advantage, double clip) {
    const double logit = static_cast<float>(std::log(3.0));
    return run_ppo({.n = 1,
                    .outputs = {logit, 0.0},
                    .old_outputs = {0.0, 0.0},
                    .actions = {action},
                    .weights = {advantage},
                    .log_std = {},
                    .old_log_std = {}},
                   {.clip = clip});
  }
};

TEST_P(PpoAtKnownInputs, RatioClipAndDivergence) {
  // Unclipped: −ρA, gradient −ρA (onehot − π).
  Result result = at(0, 2.0, 0.6);
  EXPECT_NEAR(result.statistics.surrogate, -1.5 * 2.0, 1e-6);
  EXPECT_NEAR(result.delta[0], -1.5 * 2.0 * 0.25, 1e-6);
  EXPECT_NEAR(result.delta[1], 1.5 * 2.0 * 0.25, 1e-6);
  EXPECT_EQ(result.statistics.clip_fraction, 0.0);
  // KL(½,½ ‖ ¾,¼) = ½ ln(½/¾) + ½ ln(½/¼)
  EXPECT_NEAR(result.statistics.kl, 0.5 * std::log(2.0 / 3.0) + 0.5 * std::log(2.0), 1e-7);
  EXPECT_NEAR(result.statistics.entropy, -0.75 * std::log(0.75) - 0.25 * std::log(0.25), 1e-7);
  // A rise beyond the clip is no longer rewarded, nor a fall of a bad action.
  result = at(0, 2.0, 0.2);
  EXPECT_NEAR(result.statistics.surrogate, -1.2 * 2.0, 1e-6);
  EXPECT_EQ(result.delta, (std::vector<float>{0.0F, 0.0F}));
  EXPECT_EQ(result.statistics.clip_fraction, 1.0);
  result = at(1, -2.0, 0.2);
  EXPECT_NEAR(result.statistics.surrogate, 0.8 * 2.0, 1e-6);
  EXPECT_EQ(result.statistics.clip_fraction, 1.0);
  // What went the wrong way is pulled back however far it is.
  result = at(0, -2.0, 0.2);
  EXPECT_NEAR(result.statistics.surrogate, 1.5 * 2.0, 1e-6);
  EXPECT_NEAR(result.delta[0], 1.5 * 2.0 * 0.25, 1e-6);
  EXPECT_EQ(result.statistics.clip_fraction, 0.0);
  result = at(1, 2.0, 0.2);
  EXPECT_NEAR(result.statistics.surrogate, -0.5 * 2.0, 1e-6);
}

INSTANTIATE_TEST_SUITE_P(Actions, PpoAtKnownInputs, ::testing::Values(true));

class ValueLossTest : public PolicyLoss {};

TEST_P(ValueLossTest, AgreesWithItsDefinition) {
  constexpr std::int64_t kRows = 50;
  const Values values = draw(kRows, 1.0), returns = draw(kRows, 1.0), old = draw(kRows, 1.0);
  DeviceArray<std::int64_t> count(*backend_, 1);
  count.write(std::vector<std::int64_t>{kRows});
  for (const double clip : {0.0, 0.2, 1.0}) {
    const auto v = upload(values), r = upload(returns), o = upload(old);
    DeviceArray<float> delta(*backend_, kRows);
    DeviceArray<double> loss(*backend_, 1);
    backend_->value_loss({.rows = {count.data(), kRows},
                          .values = v.data(),
                          .returns = r.data(),
                          .old_values = o.data(),
                          .clip = clip,
                          .delta = delta.data(),
                          .loss = loss.data()});
    EXPECT_NEAR(loss.read().front(), reference::value_loss(values, returns, old, clip), 1e-12);
    const auto of_values = [&](const Values& moved) {
      return reference::value_loss(moved, returns, old, clip);
    };
    EXPECT_TRUE(all_close(delta.read(), reference::numerical_gradient(of_values, values), kRelative,
                          kAbsolute));
  }
}

INSTANTIATE_TEST_SUITE_P(Any, ValueLossTest, ::testing::Values(true));

}  // namespace
}  // namespace lpdm
