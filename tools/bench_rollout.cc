#include "bench_rollout.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "bare_mujoco.h"
#include "bench_statistics.h"
#include "lpdm/backend.h"
#include "lpdm/error.h"
#include "random_rollout.h"
#include "rl/half_steps.h"
#include "rl/horizon_collector.h"

namespace lpdm {
namespace {

constexpr double kRepeatSeconds = 0.25;
constexpr std::int64_t kStepsPerEnv = 100;
constexpr std::int64_t kHorizon = 32;

// Whole rollouts with the default network, freshly initialised.
class NetworkRollout {
 public:
  NetworkRollout(const RolloutBench& bench, int threads, const std::string& halves)
      : config_(bench_config(bench, halves)),
        pool_(threads),
        backend_(make_cpu_backend(pool_)),
        environments_(bench.env, {}, bench.envs, 0, pool_),
        network_(*backend_, {.input = environments_.spec().observation_size,
                             .hidden = config_.network.hidden,
                             .output = environments_.spec().action.size}),
        in_halves_(steps_in_halves(config_.rollout.halves, environments_, threads)),
        policy_(*backend_, network_, environments_.spec().action, config_, bench.envs, in_halves_),
        normalizer_(config_, environments_.spec().observation_size),
        collector_(environments_, policy_, normalizer_, config_, kHorizon, in_halves_) {
    network_.initialize(config_.network.init, config_.run.seed);
    policy_.refresh();
  }

  const HorizonRollout& collect() { return collector_.collect(); }
  bool in_halves() const { return in_halves_; }

 private:
  static Config bench_config(const RolloutBench& bench, const std::string& halves) {
    const std::vector<std::string> overrides = {"env.id=" + bench.env, "rollout.halves=" + halves};
    return parse_config("{}", overrides);
  }

  Config config_;
  ThreadPool pool_;
  std::unique_ptr<Backend> backend_;
  VectorEnv environments_;
  Network network_;
  bool in_halves_;
  RolloutPolicy policy_;
  Normalizer normalizer_;
  HorizonCollector collector_;
};

// What is timed: one call makes `unit` environment steps.
struct Contestant {
  std::int64_t unit = 1;
  std::function<void()> restart;
  std::function<void()> call;

  double seconds(std::int64_t calls) const {
    restart();
    return seconds_of([&] {
      for (std::int64_t c = 0; c < calls; ++c) call();
    });
  }
};

// Calls per repeat: what was asked for, or enough to last and to get beyond the episodes' starts.
std::int64_t calls_per_repeat(const RolloutBench& bench, const Contestant& contestant) {
  if (bench.steps > 0) return std::max<std::int64_t>(1, bench.steps / contestant.unit);
  const std::int64_t fewest =
      std::max<std::int64_t>(1, kStepsPerEnv * bench.envs / contestant.unit);
  for (std::int64_t calls = 1;; calls *= 2) {
    const double seconds = contestant.seconds(calls);
    if (seconds < kRepeatSeconds / 8) continue;
    return std::max<std::int64_t>(
        fewest, std::llround(static_cast<double>(calls) * kRepeatSeconds / seconds));
  }
}

void require_same(bool same, const RolloutBench& bench) {
  if (same) return;
  throw Error(fmt::format("bench rollout: the rollout of {} on {} threads differs from that on one",
                          bench.env, bench.threads));
}

// Compares the first rollouts with those of one thread and no halves.
void verify_network_rollout(const RolloutBench& bench) {
  NetworkRollout timed(bench, static_cast<int>(bench.threads), bench.halves);
  NetworkRollout plain(bench, 1, "off");
  for (int rollout = 0; rollout < 2; ++rollout) {
    const HorizonRollout& one = timed.collect();
    const HorizonRollout& other = plain.collect();
    require_same(one.observations == other.observations && one.actions == other.actions &&
                     one.rewards == other.rewards &&
                     one.final_observations == other.final_observations,
                 bench);
  }
}

// Adds the alternating repeats of the contestant and the bare loop, if there is one.
void measure(const RolloutBench& bench, const Contestant& contestant, std::int64_t calls,
             BareMujoco* bare, Json& result) {
  const auto steps = static_cast<double>(calls * contestant.unit);
  std::vector<double> seconds, bare_seconds, ratios;
  for (std::int64_t repeat = 0; repeat < bench.repeats; ++repeat) {
    seconds.push_back(contestant.seconds(calls));
    if (bare == nullptr) continue;
    bare_seconds.push_back(bare->run());
    ratios.push_back(bare_seconds.back() / seconds.back() / static_cast<double>(bench.threads));
  }
  const Timing timing = summarize(seconds);
  result["steps"] = calls * contestant.unit;
  result["repeats"] = bench.repeats;
  result["steps_per_s"] = steps / timing.median;
  result["steps_per_s_spread"] = timing.spread;
  result["bare_steps_per_s"] = nullptr;
  result["ratio_to_bare"] = nullptr;
  if (bare == nullptr) return;
  const Timing bare_timing = summarize(bare_seconds);
  result["bare_steps_per_s"] = steps / bare_timing.median;
  result["bare_steps_per_s_spread"] = bare_timing.spread;
  result["ratio_to_bare"] = summarize(ratios).median;
}

void bench_random(const RolloutBench& bench, Json& result) {
  const int threads = static_cast<int>(bench.threads);
  result["checksum"] = verify_random_rollout(bench.env, bench.envs, threads);
  RandomRollout rollout(bench.env, bench.envs, threads);
  const Contestant contestant{
      .unit = bench.envs, .restart = [&] { rollout.restart(); }, .call = [&] { rollout.step(); }};
  const std::int64_t calls = calls_per_repeat(bench, contestant);
  std::optional<BareMujoco> bare;
  if (!rollout.environments().spec().model.empty()) bare.emplace(bench.env, bench.envs, calls);
  measure(bench, contestant, calls, bare ? &*bare : nullptr, result);
}

void bench_network(const RolloutBench& bench, Json& result) {
  verify_network_rollout(bench);
  NetworkRollout rollout(bench, static_cast<int>(bench.threads), bench.halves);
  result["halves"] = rollout.in_halves();
  const Contestant contestant{.unit = bench.envs * kHorizon,
                              .restart = [] {},  // it goes on, as in training
                              .call = [&] { rollout.collect(); }};
  contestant.call();
  measure(bench, contestant, calls_per_repeat(bench, contestant), nullptr, result);
}

}  // namespace

Json run_rollout_bench(const RolloutBench& bench) {
  Json result = {{"env", bench.env},
                 {"envs", bench.envs},
                 {"threads", bench.threads},
                 {"policy", bench.policy}};
  if (bench.policy == "random") {
    bench_random(bench, result);
  } else {
    bench_network(bench, result);
  }
  return result;
}

}  // namespace lpdm
