#include "bench_train.h"

#include <fmt/format.h>

#include "bench_statistics.h"
#include "lpdm/config.h"
#include "lpdm/error.h"
#include "lpdm/trainer.h"

namespace lpdm {
namespace {

Config contestant_config(Config config, HiddenMethod method) {
  config.hidden.method = method;
  config.hidden.learning_rate = {.values = {0.0}, .scaled = false};
  config.head.learning_rate = 0.0;
  config.value.learning_rate = 0.0;
  config.run.diagnostics_every = 0;
  config.run.eval_every = 0;
  return config;
}

void copy_parameters(Network& from, Network& to) {
  for (std::size_t l = 0; l < from.layers().size(); ++l) {
    to.layers()[l].set_values(from.layers()[l].values());
  }
  if (from.value_head() != nullptr) to.value_head()->set_values(from.value_head()->values());
  if (from.log_std() != nullptr) to.log_std()->set_values(from.log_std()->values());
}

// One method's run and what its iterations took.
class Contestant {
 public:
  Contestant(const Config& config, HiddenMethod method, Trainer* trained)
      : trainer_(contestant_config(config, method)) {
    if (trained != nullptr) copy_parameters(trained->network(), trainer_.network());
  }

  IterationMetrics iterate(bool timed) {
    const IterationMetrics metrics = trainer_.iterate();
    if (timed) {
      iteration_.push_back(metrics.rollout_seconds + metrics.update_seconds);
      rollout_.push_back(metrics.rollout_seconds);
      update_.push_back(metrics.update_seconds);
    }
    return metrics;
  }

  Json json() const {
    const Timing iteration = summarize(iteration_);
    return {{"iteration_s", iteration.median},
            {"rollout_s", summarize(rollout_).median},
            {"update_s", summarize(update_).median},
            {"iteration_spread", iteration.spread},
            {"iteration_shortest_s", iteration.shortest}};
  }

 private:
  Trainer trainer_;
  std::vector<double> iteration_, rollout_, update_;
};

}  // namespace

Json run_train_bench(const TrainBench& bench) {
  Config config = load_config(bench.config, bench.overrides);
  config.run.diagnostics_every = 0;
  Trainer trained(config);
  for (std::int64_t i = 0; i < bench.warm_up; ++i) trained.iterate();
  Contestant lpdm(config, HiddenMethod::kLpdm, &trained);
  Contestant backprop(config, HiddenMethod::kBackprop, &trained);
  std::int64_t steps = 0;
  for (std::int64_t repeat = -1; repeat < bench.repeats; ++repeat) {  // the first warms up
    const std::int64_t of_lpdm = lpdm.iterate(repeat >= 0).env_steps;
    const std::int64_t of_backprop = backprop.iterate(repeat >= 0).env_steps;
    if (of_lpdm != of_backprop) {
      throw Error(fmt::format(
          "bench train: LPDM played {} steps and backpropagation {}, though their policies are "
          "equal",
          of_lpdm, of_backprop));
    }
    steps = of_lpdm;
  }
  const Json lpdm_json = lpdm.json();
  const Json backprop_json = backprop.json();
  const auto ratio = [&](const char* key) {
    return lpdm_json[key].get<double>() / backprop_json[key].get<double>();
  };
  return {
      {"env", config.env.id},
      {"device", trained.backend().description()},
      {"steps_per_iteration", static_cast<double>(steps) / static_cast<double>(bench.repeats + 1)},
      {"lpdm", lpdm_json},
      {"bp", backprop_json},
      {"iteration_ratio", ratio("iteration_s")},
      {"update_ratio", ratio("update_s")}};
}

}  // namespace lpdm
