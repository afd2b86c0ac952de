// Whole runs whose updates learn from the rows that were played: nothing is computed twice, and
// neither failures, evaluations nor threads change anything.
#include <gtest/gtest.h>

#include <algorithm>

#include "core/profiled_backend.h"
#include "lpdm/error.h"
#include "lpdm/trainer.h"
#include "rl/rollout_rows_common.h"

namespace lpdm {
namespace {

std::vector<std::vector<float>> parameters_of(Trainer& trainer) {
  std::vector<std::vector<float>> values;
  for (const Parameters* group : groups_of(trainer.network())) values.push_back(group->values());
  return values;
}

std::int64_t calls(const Profile& profile, const std::string& op) {
  const auto found = std::ranges::find(profile.ops(), op, &OpProfile::name);
  return found == profile.ops().end() ? 0 : found->calls;
}

class ProfiledRun {
 public:
  explicit ProfiledRun(const Config& config)
      : trainer_(config, [this](ThreadPool& pool) {
          return make_profiled_backend(make_cpu_backend(pool), profile_);
        }) {}

  IterationMetrics iterate() {
    profile_.clear();
    return trainer_.iterate();
  }
  const Profile& profile() const { return profile_; }
  Trainer& trainer() { return trainer_; }

 private:
  Profile profile_;
  Trainer trainer_;
};

TEST(RolloutRows, NoForwardPassIsComputedTwice) {
  Config config = config_of("{}");
  ProfiledRun plain(config);
  std::int64_t steps_before = 0;
  for (int i = 0; i < 3; ++i) {
    const std::int64_t steps = plain.iterate().env_steps;
    EXPECT_EQ(calls(plain.profile(), "infer"), steps - steps_before);
    steps_before = steps;
    EXPECT_EQ(calls(plain.profile(), "dense_forward"), 0);
  }

  // The hidden layers on the final observations; the value head, once for each of its steps.
  config.algorithm.name = AlgorithmName::kReinforceBaseline;
  config.value.steps = 3;
  ProfiledRun baseline(config);
  for (int i = 0; i < 3; ++i) {
    const double rows = *baseline.iterate().length_mean * 12;
    EXPECT_EQ(calls(baseline.profile(), "dense_forward"), 2 + 3);
    const auto forward =
        std::ranges::find(baseline.profile().ops(), std::string("dense_forward"), &OpProfile::name);
    EXPECT_EQ(forward->work.instructions, 12 * (4 * 16 + 16 * 24) + 24 * (3 * rows + 12));
  }

  config.env.count = 2;
  ProfiledRun several(config);
  several.iterate();
  EXPECT_EQ(calls(several.profile(), "dense_forward"), 2 + 1 + 3);
}

// A backend without a copy of its own takes the way by the host as memory grows.
TEST(RolloutRows, AnotherBackendOnTheHostGivesTheSameRun) {
  const Config config = config_of("{}");
  Trainer direct(config);
  ProfiledRun profiled(config);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(direct.iterate().policy_loss, profiled.iterate().policy_loss);
  }
  EXPECT_EQ(parameters_of(direct), parameters_of(profiled.trainer()));
}

// CartPole, until its `fails_after` steps are made once.
class FailingEnvironment final : public Environment {
 public:
  explicit FailingEnvironment(std::int64_t& fails_after) : fails_after_(fails_after) {}

  const EnvironmentSpec& spec() const override { return inner_->spec(); }
  void reset(RandomStream& random) override { inner_->reset(random); }
  void set_state(const EnvironmentState& state) override { inner_->set_state(state); }
  EnvironmentState state() const override { return inner_->state(); }
  bool diverged() const override { return inner_->diverged(); }
  StepResult step(std::span<const float> action) override {
    if (--fails_after_ == 0) throw Error("out of order");
    return inner_->step(action);
  }
  void observe(std::span<double> observation) const override { inner_->observe(observation); }
  void observe(std::span<float> observation) const override { inner_->observe(observation); }

 private:
  std::unique_ptr<Environment> inner_ = make_environment("CartPole-v1");
  std::int64_t& fails_after_;
};

TEST(RolloutRows, ARolloutThatFailsLeavesNothingBehind) {
  for (const char* name : {"reinforce", "reinforce_baseline"}) {
    const Config config = config_of(R"({"algorithm": {"name": ")" + std::string(name) + R"("}})");
    std::int64_t fails_after = 0;
    const auto make = [&] { return std::make_unique<FailingEnvironment>(fails_after); };
    Trainer untroubled(config);
    Trainer troubled(config, make);
    for (int i = 0; i < 3; ++i) {
      fails_after = 40 * i + 5;
      EXPECT_THROW(troubled.iterate(), Error);
      EXPECT_EQ(untroubled.iterate().policy_loss, troubled.iterate().policy_loss) << i;
    }
    EXPECT_EQ(parameters_of(untroubled), parameters_of(troubled));
  }
}

// With threads that work on the rows meanwhile.
TEST(RolloutRows, ARolloutThatFailsLeavesThePoolFree) {
  Config config = config_of("{}");
  config.algorithm.episodes_per_update = 40;
  config.run.threads = 3;
  std::int64_t fails_after = 0;
  const auto make = [&] { return std::make_unique<FailingEnvironment>(fails_after); };
  Trainer untroubled(config);
  Trainer troubled(config, make);
  for (int i = 0; i < 5; ++i) {
    fails_after = 60 * i + 70;
    EXPECT_THROW(troubled.iterate(), Error);
    EXPECT_EQ(untroubled.iterate().policy_loss, troubled.iterate().policy_loss) << i;
  }
  fails_after = 100;
  EXPECT_THROW(troubled.iterate(), Error);  // and it may end like this
  EXPECT_EQ(parameters_of(untroubled), parameters_of(troubled));
}

TEST(RolloutRows, EvaluationsInBetweenChangeNothing) {
  for (const char* name : {"reinforce", "reinforce_baseline"}) {
    Config config = config_of(R"({"algorithm": {"name": ")" + std::string(name) + R"("}})");
    Trainer plain(config);
    config.run.eval_every = 1;
    config.run.eval_episodes = 3;
    Trainer evaluated(config);
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(plain.iterate().policy_loss, evaluated.iterate().policy_loss);
      evaluated.episode_distances(50);
    }
    EXPECT_EQ(parameters_of(plain), parameters_of(evaluated));
  }
}

TEST(RolloutRows, ThreadsChangeNothing) {
  for (const char* overrides :
       {R"({})", R"({"algorithm": {"name": "reinforce_baseline"}, "hidden": {"guided": true}})",
        R"({"hidden": {"method": "backprop"}})",
        R"({"hidden": {"pairs": "landmarks:16"}, "backend": {"arithmetic": "fixed"}})",
        R"({"hidden": {"pairs": "landmarks:70"}})",
        R"({"algorithm": {"name": "reinforce_baseline"},
            "hidden": {"guided": true, "pairs": "landmarks:16"}})",
        R"({"backend": {"arithmetic": "fixed"}})"}) {
    std::vector<std::vector<std::vector<float>>> runs;
    for (const std::int64_t threads : {1, 2, 3}) {
      Config config = config_of(overrides);
      config.run.threads = threads;
      config.algorithm.episodes_per_update = 50;  // memory moves as the first ones are played
      Trainer trainer(config);
      for (int i = 0; i < 4; ++i) trainer.iterate();
      runs.push_back(parameters_of(trainer));
    }
    EXPECT_EQ(runs[0], runs[1]) << overrides;
    EXPECT_EQ(runs[0], runs[2]) << overrides;
  }
}

}  // namespace
}  // namespace lpdm
