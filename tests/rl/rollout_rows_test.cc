// Rows that a rollout evaluates and an update learns from: the same as by a forward pass of the
// update's own, never stale, and nothing computed twice.
#include "rl/rollout_rows.h"

#include <gtest/gtest.h>

#include <numeric>

#include "lpdm/error.h"
#include "lpdm/reinforce.h"
#include "reference/closeness.h"
#include "rl/episode_collector.h"
#include "rl/reinforce_update.h"
#include "rl/rollout_rows_common.h"

namespace lpdm {
namespace {

using reference::all_close;

NetworkShape shape_of(const Config& config, const EnvironmentSpec& environment) {
  return {.input = environment.observation_size,
          .hidden = config.network.hidden,
          .output = environment.action.size,
          .activation = config.network.activation,
          .value_head = config.algorithm.has_value_head(),
          .learned_std = !environment.action.discrete && !config.policy.std};
}

// One environment, with all that plays in it and learns from it.
class Rig {
 public:
  explicit Rig(const Config& config)
      : config_(config),
        environments_(config.env.id, {}, 1, config.env.max_episode_steps, pool_),
        network_(*backend_, shape_of(config, spec())),
        policy_(*backend_, network_, spec().action, config, 1, false),
        normalizer_(config, spec().observation_size),
        collector_(environments_, policy_, normalizer_, config, false),
        update_(*backend_, network_, spec().action, config) {
    network_.initialize(Initialization::kTorch, 3);
    policy_.refresh();
  }

  // Plays `count` episodes into the update's rows.
  Batch play(std::int64_t count) {
    Batch batch;
    batch.observation_size = spec().observation_size;
    batch.action_width = spec().action.width();
    const auto add = [](std::vector<float>& to, const std::vector<float>& from) {
      to.insert(to.end(), from.begin(), from.end());
    };
    for (const Episode& episode : collector_.play(0, count, {.rows = &update_.rows()})) {
      add(batch.observations, episode.observations);
      add(batch.actions, episode.actions);
      add(batch.rewards, episode.rewards);
      add(batch.final_observations, episode.final_observation);
      batch.truncated.push_back(episode.truncated && !episode.terminated ? 1 : 0);
      batch.episode_ends.push_back(batch.rows());
    }
    return batch;
  }

  const EnvironmentSpec& spec() const { return environments_.spec(); }
  Backend& backend() { return *backend_; }
  Network& network() { return network_; }
  RolloutPolicy& policy() { return policy_; }
  ReinforceUpdate& update() { return update_; }

 private:
  Config config_;
  ThreadPool pool_{2};
  std::unique_ptr<Backend> backend_ = make_cpu_backend(pool_, config_.backend.arithmetic);
  VectorEnv environments_;
  Network network_;
  RolloutPolicy policy_;
  Normalizer normalizer_;
  EpisodeCollector collector_;
  ReinforceUpdate update_;
};

std::vector<double> numbers_of(const UpdateReport& report) {
  std::vector<double> numbers = {report.policy_loss, report.value_loss.value_or(0.0)};
  for (const LayerDiagnostics& layer : report.layers) {
    numbers.insert(numbers.end(), {layer.loss, layer.correlation, layer.mean_distance,
                                   layer.mean_abs, layer.gradient_norm});
  }
  return numbers;
}

std::vector<double> widen(const std::vector<float>& values) {
  return {values.begin(), values.end()};
}

// Gradients are compared as Adam's first moments after one step.
void expect_same_learning(const Config& config, double tolerance) {
  Rig rig(config);
  Network twin(rig.backend(), rig.network().shape());
  twin.initialize(Initialization::kTorch, 3);
  Reinforce reinforce(rig.backend(), twin, rig.spec().action, config);

  const Batch batch = rig.play(config.algorithm.episodes_per_update);
  ASSERT_GT(batch.rows(), 128);  // memory has grown twice, within episodes
  const UpdateReport played = rig.update().update_played(batch, {.diagnostics = true});
  const UpdateReport anew = reinforce.update(batch, {.diagnostics = true});

  EXPECT_TRUE(all_close(numbers_of(played), numbers_of(anew), tolerance, 0.0));
  const std::vector<Parameters*> groups = groups_of(rig.network());
  for (std::size_t g = 0; g < groups.size(); ++g) {
    EXPECT_TRUE(all_close(groups[g]->optimizer_state().first_moment,
                          widen(groups_of(twin)[g]->optimizer_state().first_moment), tolerance,
                          1e-9))
        << "group " << g;
  }
  ASSERT_TRUE(played.sample && anew.sample);
  EXPECT_EQ(played.sample->observations, anew.sample->observations);
  for (std::size_t l = 0; l < anew.sample->outputs.size(); ++l) {
    EXPECT_TRUE(all_close(played.sample->outputs[l], widen(anew.sample->outputs[l]), 1e-5, 1e-6));
  }
}

TEST(RolloutRows, AnUpdateLearnsWhatItWouldFromAForwardPassOfItsOwn) {
  for (const char* overrides : {
           R"({})",
           R"({"hidden": {"guided": true}})",
           R"({"hidden": {"pairs": "landmarks:8", "guided": true}})",
           R"({"hidden": {"block": "episode"}})",
           R"({"hidden": {"target": "error_propagation"}})",
           R"({"hidden": {"method": "backprop"}})",
           R"({"hidden": {"method": "frozen"}})",
           R"({"network": {"activation": "relu"}, "hidden": {"method": "backprop"}})",
           R"({"env": {"normalize_observations": true}, "hidden": {"method": "backprop"}})",
           R"({"env": {"id": "InvertedPendulum-v4"}, "hidden": {"method": "backprop"},
               "policy": {"std": "learned"}, "algorithm": {"name": "reinforce_baseline"}})",
       }) {
    for (const char* name : {"reinforce", "reinforce_baseline"}) {
      SCOPED_TRACE(std::string(overrides) + " " + name);
      Config config = config_of(overrides);
      config.algorithm.name = name == std::string("reinforce") ? AlgorithmName::kReinforce
                                                               : AlgorithmName::kReinforceBaseline;
      if (config.env.id == "InvertedPendulum-v4") config.algorithm.episodes_per_update = 40;
      expect_same_learning(config, 1e-4);
    }
  }
}

// Levels on either side of a rounding differ by 3e-5.
TEST(RolloutRows, FixedArithmeticLearnsTheSameToItsLevels) {
  expect_same_learning(config_of(R"({"backend": {"arithmetic": "fixed"}})"), 2e-2);
  expect_same_learning(
      config_of(R"({"backend": {"arithmetic": "fixed"}, "hidden": {"pairs": "landmarks:16"}})"),
      2e-2);
}

// The rows of `count` observations; room for all of them beforehand, or as they come.
std::vector<std::vector<float>> evaluated(Rig& rig, std::int64_t count, bool room_beforehand) {
  RolloutRows rows(rig.backend(), rig.network(), 0);
  if (room_beforehand) rows.reserve(count);
  std::vector<float> output(2);
  for (std::int64_t i = 0; i < count; ++i) {
    std::vector<float> observation(4);
    std::iota(observation.begin(), observation.end(), 0.01F * static_cast<float>(i));
    rig.policy().run(observation, output, rows);
    EXPECT_EQ(rows.played(), i + 1);
  }
  std::vector<std::vector<float>> all;
  const auto take = [&](const float* values, std::int64_t width) {
    all.emplace_back(values, values + count * width);
  };
  take(rows.hidden().input(0), 4);
  take(rows.hidden().output(0), 16);
  take(rows.hidden().output(1), 24);
  take(rows.heads().policy(), 2);
  return all;
}

TEST(RolloutRows, SurviveMovesOfTheirMemory) {
  Rig rig(config_of("{}"));
  EXPECT_EQ(evaluated(rig, 1000, false), evaluated(rig, 1000, true));
}

TEST(RolloutRows, ServeOneUpdateAndOnlyThatOfTheirBatch) {
  Rig rig(config_of("{}"));
  const Batch first = rig.play(3);
  Batch other = first;
  other.observations[5] += 1.0F;
  EXPECT_THROW(rig.update().update_played(other, {}), Error);
  rig.update().update_played(first, {});
  EXPECT_THROW(rig.update().update_played(first, {}), Error);  // the network has changed

  const Batch second = rig.play(3);
  rig.update().update(first, {});  // takes the memory over
  EXPECT_THROW(rig.update().update_played(second, {}), Error);
  EXPECT_THROW(rig.update().update_played(first, {}), Error);

  rig.play(2);
  EXPECT_THROW(rig.update().update_played(second, {}), Error);  // some rows are missing
}

// What was begun of rows that are given up is not taken for others'.
TEST(RolloutRows, RowsThatNobodyHeardOfAreNotThoseHeardOfBefore) {
  Config config = config_of("{}");
  config.algorithm.episodes_per_update = 30;
  Rig played(config), put(config);
  played.play(30);
  put.play(30);
  const Batch batch = [&] {
    Rig other(config);
    other.policy().refresh();
    return other.play(25);
  }();
  RolloutRows& rows = put.update().rows();
  rows.clear();
  std::vector<float> output(2);
  for (std::int64_t i = 0; i < batch.rows(); ++i) {
    std::vector<float> observation(batch.observations.begin() + 4 * i,
                                   batch.observations.begin() + 4 * (i + 1));
    put.policy().run(observation, output, rows);
  }
  const UpdateReport from_rows = put.update().update_played(batch, {.diagnostics = true});
  const UpdateReport afresh = played.update().update(batch, {.diagnostics = true});
  EXPECT_TRUE(all_close(numbers_of(from_rows), numbers_of(afresh), 1e-4, 1e-6));
}

TEST(RolloutRows, SeveralEnvironmentsHaveNone) {
  const Config config = config_of("{}");
  ThreadPool pool(1);
  Rig rig(config);
  VectorEnv two("CartPole-v1", {}, 2, 0, pool);
  const Normalizer normalizer(config, 4);
  EpisodeCollector collector(two, rig.policy(), normalizer, config, false);
  EXPECT_THROW(collector.play(0, 2, {.rows = &rig.update().rows()}), Error);
}

// ---- whole runs ---------------------------------------------------------------------------------

}  // namespace
}  // namespace lpdm
