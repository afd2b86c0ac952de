// Fixed-horizon rollouts against a plain loop over single environments.
#include "rl/horizon_collector.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "env/fragile_environment.h"

namespace lpdm {
namespace {

struct Setting {
  std::string env = "CartPole-v1";
  std::int64_t count = 5;
  std::int64_t limit = 20;  // steps per episode
  std::int64_t horizon = 32;
  int threads = 1;
  bool in_halves = false;
  bool normalize = false;
};

Config config_of(const Setting& setting) {
  Config config;
  config.env.normalize_observations = setting.normalize;
  config.env.normalize_rewards = setting.normalize;
  config.run.seed = 4;
  return config;
}

std::vector<std::unique_ptr<Environment>> instances_of(const Setting& setting) {
  if (setting.env == "Fragile-v0") return fragile_environments(static_cast<int>(setting.count));
  std::vector<std::unique_ptr<Environment>> instances;
  for (std::int64_t e = 0; e < setting.count; ++e) {
    instances.push_back(make_environment(setting.env));
  }
  return instances;
}

// A collector with all it borrows.
class Rig {
 public:
  explicit Rig(const Setting& setting)
      : config_(config_of(setting)),
        pool_(setting.threads),
        backend_(make_cpu_backend(pool_)),
        environments_(instances_of(setting), setting.limit, pool_),
        network_(*backend_, {.input = environments_.spec().observation_size,
                             .hidden = {16, 8},
                             .output = environments_.spec().action.size}),
        policy_(*backend_, network_, environments_.spec().action, config_, setting.count,
                setting.in_halves),
        normalizer_(config_, environments_.spec().observation_size),
        collector_(environments_, policy_, normalizer_, config_, setting.horizon,
                   setting.in_halves) {
    network_.initialize(Initialization::kTorch, 1);
    policy_.refresh();
  }

  const HorizonRollout& collect() {
    const HorizonRollout& rollout = collector_.collect();
    for (const SequenceMoments& moments : collector_.moments()) normalizer_.merge(moments);
    normalizer_.refresh();
    return rollout;
  }
  const EnvironmentSpec& spec() const { return environments_.spec(); }
  RolloutPolicy& policy() { return policy_; }

 private:
  Config config_;
  ThreadPool pool_;
  std::unique_ptr<Backend> backend_;
  VectorEnv environments_;
  Network network_;
  RolloutPolicy policy_;
  Normalizer normalizer_;
  HorizonCollector collector_;
};

void expect_same(const HorizonRollout& a, const HorizonRollout& b) {
  EXPECT_EQ(a.observations, b.observations);
  EXPECT_EQ(a.actions, b.actions);
  EXPECT_EQ(a.policy_outputs, b.policy_outputs);
  EXPECT_EQ(a.rewards, b.rewards);
  EXPECT_EQ(a.terminated, b.terminated);
  EXPECT_EQ(a.truncated, b.truncated);
  EXPECT_EQ(a.final_observations, b.final_observations);
  EXPECT_EQ(a.diverged, b.diverged);
  ASSERT_EQ(a.ends.size(), b.ends.size());
  for (std::size_t i = 0; i < a.ends.size(); ++i) {
    EXPECT_EQ(a.ends[i].row, b.ends[i].row);
    EXPECT_EQ(a.ends[i].length, b.ends[i].length);
    EXPECT_EQ(a.ends[i].return_sum, b.ends[i].return_sum);
  }
}

// What environment e does when it is alone with the policy.
void expect_plain_loop(const Setting& setting, const HorizonRollout& rollout, Rig& rig,
                       std::int64_t e) {
  const std::unique_ptr<Environment> env = make_environment(setting.env);
  const auto width = static_cast<std::size_t>(env->spec().observation_size);
  std::vector<float> observation(width), outputs(static_cast<std::size_t>(rig.spec().action.size)),
      action(static_cast<std::size_t>(rig.spec().action.width()));
  std::map<std::int64_t, std::size_t> end_at;
  for (std::size_t i = 0; i < rollout.ends.size(); ++i) end_at[rollout.ends[i].row] = i;
  StreamId stream{StreamPurpose::kEnvironmentReset, static_cast<std::uint32_t>(e)};
  const auto reset = [&] {
    RandomStream random(4, {stream.purpose, stream.index, stream.episode});
    env->reset(random);
    stream.step = 0;
  };
  const auto row_of = [&](const std::vector<float>& matrix, std::size_t row, std::size_t size) {
    return std::vector<float>(matrix.begin() + static_cast<std::ptrdiff_t>(row * size),
                              matrix.begin() + static_cast<std::ptrdiff_t>((row + 1) * size));
  };
  double return_sum = 0.0;
  reset();
  for (std::int64_t t = 0; t < rollout.horizon; ++t) {
    const auto row = static_cast<std::size_t>(t * rollout.count + e);
    env->observe(std::span<float>(observation));
    ASSERT_EQ(row_of(rollout.observations, row, width), observation) << t;
    rig.policy().run(observation, outputs);
    ASSERT_EQ(row_of(rollout.policy_outputs, row, outputs.size()), outputs);
    rig.policy().sample(
        outputs, {StreamPurpose::kAction, stream.index, stream.episode, stream.step}, action);
    ASSERT_EQ(row_of(rollout.actions, row, action.size()), action);
    const StepResult result = env->step(action);
    ++stream.step;
    return_sum += result.reward;
    const bool truncated = stream.step >= setting.limit;
    ASSERT_EQ(rollout.rewards[row], static_cast<float>(result.reward));
    ASSERT_EQ(rollout.terminated[row] != 0, result.terminated);
    ASSERT_EQ(rollout.truncated[row] != 0, truncated);
    const auto end = end_at.find(static_cast<std::int64_t>(row));
    ASSERT_EQ(end != end_at.end(), result.terminated || truncated);
    if (end == end_at.end()) continue;
    env->observe(std::span<float>(observation));
    EXPECT_EQ(row_of(rollout.final_observations, end->second, width), observation);
    EXPECT_EQ(rollout.ends[end->second].length, stream.step);
    EXPECT_EQ(rollout.ends[end->second].return_sum, return_sum);
    return_sum = 0.0;
    ++stream.episode;
    reset();
  }
  env->observe(std::span<float>(observation));
  const auto last = static_cast<std::size_t>(rollout.rows() + e);
  EXPECT_EQ(row_of(rollout.observations, last, width), observation);
}

TEST(HorizonCollector, EqualsAPlainLoop) {
  for (const char* env : {"CartPole-v1", "Hopper-v4", "Pusher-v4"}) {
    SCOPED_TRACE(env);
    const Setting setting{.env = env, .count = 3, .limit = 17, .horizon = 60};
    Rig rig(setting);
    const HorizonRollout rollout = rig.collect();
    for (std::int64_t e = 0; e < setting.count; ++e) expect_plain_loop(setting, rollout, rig, e);
    EXPECT_GE(std::ranges::count(rollout.truncated, 1), setting.env == "Pusher-v4" ? 9 : 1);
    EXPECT_EQ(std::ranges::count(rollout.terminated, 1) == 0, setting.env == "Pusher-v4");
  }
}

TEST(HorizonCollector, ThreadsAndHalvesChangeNothing) {
  for (const char* env : {"CartPole-v1", "Hopper-v4", "Fragile-v0"}) {
    for (const bool normalize : {false, true}) {
      for (const std::int64_t count : {1, 2, 5, 40}) {
        SCOPED_TRACE(std::string(env) + (normalize ? ", normalised, " : ", ") +
                     std::to_string(count));
        Setting setting{.env = env, .count = count, .horizon = 25, .normalize = normalize};
        Rig plain(setting);
        setting.threads = 3;
        Rig threads(setting);
        setting.in_halves = true;
        Rig halves(setting);
        setting.threads = 1;
        Rig alone(setting);
        for (int call = 0; call < 3; ++call) {
          const HorizonRollout& expected = plain.collect();
          expect_same(expected, threads.collect());
          expect_same(expected, halves.collect());
          expect_same(expected, alone.collect());
        }
      }
    }
  }
}

TEST(HorizonCollector, EpisodesGoOnInTheNextCall) {
  Setting setting{.horizon = 24};
  Rig whole(setting);
  setting.horizon = 8;
  Rig parts(setting);
  const HorizonRollout& expected = whole.collect();
  std::vector<float> observations, actions, rewards, finals;
  std::vector<std::int64_t> lengths;
  for (int call = 0; call < 3; ++call) {
    const HorizonRollout& part = parts.collect();
    const auto used = part.observations.end() - setting.count * 4;
    observations.insert(observations.end(), part.observations.begin(),
                        call < 2 ? used : part.observations.end());
    actions.insert(actions.end(), part.actions.begin(), part.actions.end());
    rewards.insert(rewards.end(), part.rewards.begin(), part.rewards.end());
    finals.insert(finals.end(), part.final_observations.begin(), part.final_observations.end());
    for (const EpisodeEnd& end : part.ends) lengths.push_back(end.length);
  }
  EXPECT_EQ(observations, expected.observations);
  EXPECT_EQ(actions, expected.actions);
  EXPECT_EQ(rewards, expected.rewards);
  EXPECT_EQ(finals, expected.final_observations);
  ASSERT_EQ(lengths.size(), expected.ends.size());
  EXPECT_GT(std::ranges::max(lengths), 8);  // one that began in an earlier call
  for (std::size_t i = 0; i < lengths.size(); ++i) EXPECT_EQ(lengths[i], expected.ends[i].length);
}

// Actions are nearly uniform over the ways to break down; three of the five diverge.
TEST(HorizonCollector, DivergedEpisodesAreCountedAndLeaveOnlyFiniteNumbers) {
  Rig rig({.env = "Fragile-v0", .count = 8, .limit = 0, .horizon = 50, .normalize = true});
  const HorizonRollout& rollout = rig.collect();
  for (const auto* values :
       {&rollout.observations, &rollout.rewards, &rollout.final_observations}) {
    for (const float value : *values) ASSERT_TRUE(std::isfinite(value));
  }
  std::int64_t broken = 0;
  for (const float action : rollout.actions) broken += action >= 1.0F && action <= 3.0F ? 1 : 0;
  EXPECT_GT(broken, 100);
  EXPECT_EQ(rollout.diverged, broken);
  EXPECT_EQ(std::ranges::count(rollout.truncated, 1), broken);
  for (std::size_t row = 0; row < rollout.actions.size(); ++row) {
    if (rollout.truncated[row] == 0) continue;
    EXPECT_EQ(rollout.terminated[row], 0);
    EXPECT_EQ(rollout.rewards[row], 0.0F);
  }
}

}  // namespace
}  // namespace lpdm
