// The prediction against what updates really allocate, and what is refused.
#include "lpdm/memory_plan.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "lpdm/error.h"
#include "lpdm/random.h"
#include "lpdm/reinforce.h"
#include "lpdm/trainer.h"

namespace lpdm {
namespace {

// A config whose updates have up to `rows` rows.
Config config_of(std::int64_t rows, const std::string& text) {
  Config config = parse_config(text);
  config.env.id = "Hopper-v4";
  config.env.max_episode_steps = rows;
  config.network.hidden = {48, 80};
  config.run.threads = 2;
  return config;
}

Batch random_batch(std::int64_t rows, const EnvironmentSpec& environment) {
  RandomStream random(1, {.purpose = StreamPurpose::kBenchmark});
  Batch batch{
      .observation_size = environment.observation_size,
      .action_width = environment.action.width(),
      .observations =
          std::vector<float>(static_cast<std::size_t>(rows * environment.observation_size)),
      .actions = std::vector<float>(static_cast<std::size_t>(rows * environment.action.width())),
      .rewards = std::vector<float>(static_cast<std::size_t>(rows)),
      .episode_ends = {rows}};
  for (float& value : batch.observations) value = static_cast<float>(random.uniform());
  for (float& value : batch.actions) value = static_cast<float>(random.uniform());
  for (float& value : batch.rewards) value = static_cast<float>(random.uniform());
  return batch;
}

// Peak bytes of updates from some batches, diagnostics included.
std::int64_t measured(const Config& config, const EnvironmentSpec& environment,
                      const std::vector<Batch>& batches) {
  ThreadPool pool(static_cast<int>(config.run.threads));
  const auto backend = make_cpu_backend(pool, config.backend.arithmetic);
  Network network(*backend, {.input = environment.observation_size,
                             .hidden = config.network.hidden,
                             .output = environment.action.size,
                             .activation = config.network.activation});
  network.initialize(config.network.init, 1);
  const InferenceNetwork inference(*backend, network);
  Reinforce reinforce(*backend, network, environment.action, config);
  for (const Batch& batch : batches) {
    reinforce.update(batch,
                     {.diagnostics = config.run.diagnostics_every > 0, .landmarks = std::nullopt});
  }
  return static_cast<std::int64_t>(backend->peak_bytes());
}

TEST(MemoryPlan, BoundsWhatUpdatesAllocate) {
  const EnvironmentSpec environment = make_environment("Hopper-v4")->spec();
  for (const std::string options :
       {R"({})", R"({"hidden": {"guided": true, "pairs": "landmarks:64"}})",
        R"({"hidden": {"pairs": "closest_furthest"}})", R"({"hidden": {"metric": "l2"}})",
        R"({"hidden": {"pairs": "lowrank:3", "guided": true}})",
        R"({"hidden": {"target": "error_propagation", "guided": true}})",
        R"({"hidden": {"method": "backprop"}})", R"({"backend": {"arithmetic": "auto"}})",
        R"({"backend": {"arithmetic": "fixed"}, "hidden": {"pairs": "landmarks:64"}})",
        R"({"hidden": {"method": "frozen", "pairs": "landmarks:64"},)"
        R"( "backend": {"arithmetic": "fixed"}})",
        R"({"hidden": {"method": "frozen"}, "run": {"diagnostics_every": 0}})"}) {
    for (const std::int64_t rows : {1, 64, 500, 1025, 3000}) {
      SCOPED_TRACE(options + " with " + std::to_string(rows) + " rows");
      Config config = config_of(rows, options);
      config.env.count = 2;  // batches that are not worked on while they are played
      const MemoryPlan plan = plan_memory(config, environment);
      EXPECT_EQ(plan.rows, rows);
      const std::int64_t bytes =
          measured(config, environment,
                   {random_batch((rows + 2) / 3, environment), random_batch(rows, environment)});
      EXPECT_GE(plan.in_backend(), bytes);
      EXPECT_LE(plan.in_backend(), 2 * bytes);
      EXPECT_GT(plan.total(), plan.in_backend());
    }
  }
}

// Batches on both sides of the limit up to which distances are kept, one layer: 6976 rows.
TEST(MemoryPlan, BoundsBatchesOfWhichSomeAreKept) {
  const EnvironmentSpec environment = make_environment("Hopper-v4")->spec();
  Config config = config_of(7100, "{}");
  config.network.hidden = {4};
  config.env.count = 2;
  config.run.diagnostics_every = 0;
  const std::int64_t bytes = measured(
      config, environment, {random_batch(6900, environment), random_batch(7100, environment)});
  EXPECT_GE(plan_memory(config, environment).in_backend(), bytes);
}

// Episodes that fill the room of a bucket, with a final observation after each.
TEST(MemoryPlan, BoundsRunsThatFillABucket) {
  for (const char* options :
       {R"({})", R"({"algorithm": {"name": "reinforce_baseline"}})",
        R"({"hidden": {"pairs": "landmarks:64"}})",
        R"({"hidden": {"pairs": "landmarks:200"}, "backend": {"arithmetic": "fixed"}})"}) {
    Config config = parse_config(options);
    config.env.id = "Acrobot-v1";
    config.env.max_episode_steps = 128;
    config.algorithm.episodes_per_update = 8;  // 1024 rows: no episode ends before
    config.run.threads = 2;
    Trainer trainer(config);
    for (int i = 0; i < 2; ++i) trainer.iterate();
    const auto bytes = static_cast<std::int64_t>(trainer.backend().peak_bytes());
    EXPECT_GE(plan_memory(config).in_backend(), bytes) << options;
  }
}

TEST(MemoryPlan, BoundsWholeRuns) {
  const std::string ppo = R"("algorithm": {"name": "ppo", "ppo": {"horizon": 300}})";
  for (const std::string& options : std::vector<std::string>{
           R"({"algorithm": {"episodes_per_update": 12}})",
           R"({"algorithm": {"episodes_per_update": 12, "name": "reinforce_baseline"}})",
           "{" + ppo + "}", "{" + ppo + R"(, "hidden": {"guided": true, "batch": "buffer"}})",
           "{" + ppo + R"(, "hidden": {"batch": "buffer", "pairs": "landmarks:32"}})",
           "{" + ppo + R"(, "hidden": {"method": "frozen"}})",
           "{" + ppo + R"(, "hidden": {"method": "backprop"}})"}) {
    for (const std::int64_t count : {1, 4}) {
      SCOPED_TRACE(options + ", environments: " + std::to_string(count));
      Config config = parse_config(options);
      config.env.count = count;
      config.run.threads = 2;
      config.env.max_episode_steps = 20;
      config.rollout.halves = Halves::kOff;  // else the rollouts' part is in a backend of their own
      Trainer trainer(config);
      for (int i = 0; i < 2; ++i) trainer.iterate();
      const auto bytes = static_cast<std::int64_t>(trainer.backend().peak_bytes());
      const MemoryPlan plan = plan_memory(config);
      EXPECT_EQ(plan.rows, config.algorithm.name == AlgorithmName::kPpo ? 300 * count : 240);
      EXPECT_GE(plan.in_backend(), bytes);
      EXPECT_LE(plan.in_backend(), 2 * bytes);
    }
  }
}

TEST(MemoryPlan, BoundsUpdatesFromEpisodes) {
  const EnvironmentSpec environment = make_environment("Hopper-v4")->spec();
  for (const std::int64_t length : {1, 70, 500}) {
    Config config = config_of(length, R"({"hidden": {"block": "episode"}})");
    config.algorithm.episodes_per_update = 6;
    Batch batch = random_batch(6 * length, environment);
    batch.episode_ends.clear();
    for (std::int64_t e = 1; e <= 6; ++e) batch.episode_ends.push_back(e * length);
    const MemoryPlan plan = plan_memory(config, environment);
    const std::int64_t bytes = measured(config, environment, {batch});
    EXPECT_GE(plan.in_backend(), bytes) << length;
    EXPECT_LE(plan.in_backend(), 2 * bytes) << length;
  }
}

TEST(MemoryPlan, LandmarksAndAllPairsNeedNoSquare) {
  const MemoryPlan small = plan_memory(config_of(10'000, "{}"));
  const MemoryPlan large = plan_memory(config_of(80'000, "{}"));
  EXPECT_LT(large.total(), 10 * small.total());
}

TEST(MemoryPlan, SaysWhatCannotFitAndWhatToChange) {
  const auto refusal = [](const MemoryPlan& plan, std::int64_t available) -> std::string {
    try {
      require_memory(plan, available);
    } catch (const UsageError& error) {
      return error.what();
    }
    return "";
  };
  const MemoryPlan plan = plan_memory(config_of(200'000, "{}"));
  EXPECT_EQ(refusal(plan, plan.total()), "");
  const std::string sentence = refusal(plan, plan.total() - 1);
  EXPECT_NE(sentence.find(bytes_text(plan.total())), std::string::npos) << sentence;
  EXPECT_NE(sentence.find("200000 rows"), std::string::npos) << sentence;
  EXPECT_NE(sentence.find("env.max_episode_steps"), std::string::npos) << sentence;

  Config wide = parse_config("{}");
  wide.network.hidden = {65536, 65536};
  EXPECT_NE(refusal(plan_memory(wide), 1'000'000'000).find("network.hidden"), std::string::npos);
  Config long_rollouts = parse_config(R"({"algorithm": {"name": "ppo"}})");
  long_rollouts.algorithm.ppo.horizon = 100'000'000;
  EXPECT_NE(refusal(plan_memory(long_rollouts), 1'000'000'000).find("algorithm.ppo.horizon"),
            std::string::npos);
  Config many = parse_config(R"({"env": {"id": "Ant-v4", "count": 1000000}})");
  EXPECT_NE(refusal(plan_memory(many), 1'000'000'000).find("env.count"), std::string::npos);
}

TEST(MemoryPlan, TheLargestSettingsDoNotOverflow) {
  Config config = parse_config("{}");
  config.algorithm.episodes_per_update = 1'000'000;
  config.env.max_episode_steps = 1'000'000'000;
  config.network.hidden.assign(64, 65536);
  const MemoryPlan plan = plan_memory(config);
  for (const MemoryPart& part : plan.parts) EXPECT_GT(part.bytes, 0) << part.name;
  EXPECT_GT(plan.total(), std::int64_t{1} << 60);
  EXPECT_THROW(require_memory(plan, std::int64_t{1} << 60), UsageError);
}

TEST(MemoryPlan, IsOneLineOfText) {
  const std::string text = plan_memory(config_of(500, "{}")).text();
  EXPECT_TRUE(text.starts_with("at most ")) << text;
  EXPECT_NE(text.find("updates of up to 500 rows (parameters 0.1 MB, "), std::string::npos) << text;
  EXPECT_EQ(text.find('\n'), std::string::npos);
  EXPECT_EQ(bytes_text(2'340'000'000), "2.3 GB");
}

}  // namespace
}  // namespace lpdm
