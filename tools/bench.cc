// `lpdm bench`: how long the work takes on this machine, with a verified result.
#include <fmt/format.h>

#include <memory>

#include "bench_local_loss.h"
#include "bench_rollout.h"
#include "bench_train.h"
#include "commands.h"

namespace lpdm {
namespace {

constexpr std::int64_t kMaxRows = 1LL << 24;

void print_local_loss(const Json& result, bool json) {
  if (json) {
    fmt::print("{}\n", result.dump());
    return;
  }
  const double lpdm = result["lpdm_s"], backprop = result["bp_s"];
  const double lpdm_spread = result["lpdm_spread"], backprop_spread = result["bp_spread"];
  fmt::print("one update of {} rows, pairs {}, on {}\n", result["n"].get<std::int64_t>(),
             result["pairs"].get<std::string>(), result["device"].get<std::string>());
  fmt::print("  lpdm      {:9.3f} ms  (spread {:.0f} %), peak memory {:.1f} MB\n", lpdm * 1e3,
             lpdm_spread * 100.0, result["peak_bytes"].get<double>() / 1e6);
  fmt::print("  backprop  {:9.3f} ms  (spread {:.0f} %)\n", backprop * 1e3,
             backprop_spread * 100.0);
  fmt::print("  ratio     {:9.2f}\n", lpdm / backprop);
}

void print_rollout(const Json& result, bool json) {
  if (json) {
    fmt::print("{}\n", result.dump());
    return;
  }
  fmt::print("{}, {} environments, {} threads, policy {}\n", result["env"].get<std::string>(),
             result["envs"].get<std::int64_t>(), result["threads"].get<std::int64_t>(),
             result["policy"].get<std::string>());
  fmt::print("  lpdm       {:12.0f} steps/s  (spread {:.0f} %)\n",
             result["steps_per_s"].get<double>(),
             result["steps_per_s_spread"].get<double>() * 100.0);
  if (result["bare_steps_per_s"].is_null()) return;
  fmt::print("  bare loop  {:12.0f} steps/s on one thread  (spread {:.0f} %)\n",
             result["bare_steps_per_s"].get<double>(),
             result["bare_steps_per_s_spread"].get<double>() * 100.0);
  fmt::print("  ratio      {:12.3f} per thread\n", result["ratio_to_bare"].get<double>());
}

void print_train(const Json& result, bool json) {
  if (json) {
    fmt::print("{}\n", result.dump());
    return;
  }
  fmt::print("one training iteration on {}, {:.0f} steps, on {}\n",
             result["env"].get<std::string>(), result["steps_per_iteration"].get<double>(),
             result["device"].get<std::string>());
  for (const char* method : {"lpdm", "bp"}) {
    const Json& times = result[method];
    fmt::print("  {:<9} {:9.3f} ms: rollout {:.3f} ms, update {:.3f} ms  (spread {:.0f} %)\n",
               method, times["iteration_s"].get<double>() * 1e3,
               times["rollout_s"].get<double>() * 1e3, times["update_s"].get<double>() * 1e3,
               times["iteration_spread"].get<double>() * 100.0);
  }
  fmt::print("  ratio     {:9.2f}, of the updates {:.2f}\n",
             result["iteration_ratio"].get<double>(), result["update_ratio"].get<double>());
}

// Counts of an option.
CLI::Range count(std::int64_t most) { return {std::int64_t{1}, most}; }

void add_rollout_bench(CLI::App& bench) {
  const auto arguments = std::make_shared<RolloutBench>();
  const auto json = std::make_shared<bool>(false);
  CLI::App* command = bench.add_subcommand("rollout", "Time the environments' steps");
  command->add_option("--env", arguments->env, "Environment, see lpdm envs")->capture_default_str();
  command->add_option("--envs", arguments->envs, "Environments stepped together")
      ->check(count(1 << 20))
      ->capture_default_str();
  command->add_option("--threads", arguments->threads, "Threads")
      ->check(count(1024))
      ->capture_default_str();
  command
      ->add_option("--policy", arguments->policy,
                   "random: actions drawn beforehand; network: the default network, sampled")
      ->check(CLI::IsMember({"random", "network"}))
      ->capture_default_str();
  command->add_option("--halves", arguments->halves, "rollout.halves, for policy network")
      ->check(CLI::IsMember({"auto", "on", "off"}))
      ->capture_default_str();
  command
      ->add_option("--steps", arguments->steps,
                   "Environment steps per repeat; default: at least 100 per environment and a "
                   "quarter of a second")
      ->check(count(1LL << 40));
  command->add_option("--repeats", arguments->repeats, "Timed repeats")
      ->check(count(100000))
      ->capture_default_str();
  command->add_flag("--json", *json, "Print one JSON object");
  command->footer(
      "With random actions, MuJoCo environments are compared with a bare loop of mj_step on one\n"
      "thread that makes the same steps.\n"
      "Example:\n  lpdm bench rollout --env Hopper-v4 --envs 64 --threads 2");
  command->callback([arguments, json] { print_rollout(run_rollout_bench(*arguments), *json); });
}

void add_local_loss_bench(CLI::App& bench) {
  const auto arguments = std::make_shared<LocalLossBench>();
  const auto json = std::make_shared<bool>(false);
  CLI::App* command = bench.add_subcommand(
      "local-loss", "Time one whole update by LPDM and by backpropagation on the same batch");
  command->add_option("--n", arguments->n, "Rows")->check(count(kMaxRows))->capture_default_str();
  command->add_option("--dim-x", arguments->dim_x, "Width of the network's input")
      ->check(count(1 << 16))
      ->capture_default_str();
  command->add_option("--hidden", arguments->hidden, "Widths of the hidden layers")
      ->delimiter(',')
      ->check(count(1 << 16))
      ->capture_default_str();
  command
      ->add_option(
          "--pairs", arguments->pairs,
          "as hidden.pairs: all, landmarks:M, lowrank:R, closest, furthest or closest_furthest")
      ->capture_default_str();
  command->add_flag("--guided", arguments->guided, "Guided loss");
  command->add_option("--repeats", arguments->repeats, "Timed updates of each")
      ->check(count(100000))
      ->capture_default_str();
  command->add_option("--device", arguments->device, "auto, cpu or cuda")->capture_default_str();
  command->add_option("--arithmetic", arguments->arithmetic, "as backend.arithmetic")
      ->capture_default_str();
  command->add_option("--threads", arguments->threads, "Threads")
      ->check(count(1024))
      ->capture_default_str();
  command->add_flag("--json", *json, "Print one JSON object; times in seconds");
  command->footer("Example:\n  lpdm bench local-loss --n 4096 --hidden 128,256 --threads 1");
  command->callback(
      [arguments, json] { print_local_loss(run_local_loss_bench(*arguments), *json); });
}

void add_train_bench(CLI::App& bench) {
  const auto arguments = std::make_shared<TrainBench>();
  const auto json = std::make_shared<bool>(false);
  CLI::App* command = bench.add_subcommand(
      "train", "Time whole iterations by LPDM and by backpropagation on the same episodes");
  command->add_option("CONFIG", arguments->config, "Config of the run")->required();
  add_set_option(*command, arguments->overrides);
  command
      ->add_option("--warm-up", arguments->warm_up,
                   "Iterations of ordinary training first, so that episodes grow long")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{1} << 30))
      ->capture_default_str();
  command->add_option("--repeats", arguments->repeats, "Timed iterations of each")
      ->check(count(100000))
      ->capture_default_str();
  command->add_flag("--json", *json, "Print one JSON object; times in seconds");
  command->footer(
      "Example:\n  lpdm bench train configs/cartpole-lpdm.json --warm-up 700 --set run.threads=2");
  command->callback([arguments, json] { print_train(run_train_bench(*arguments), *json); });
}

}  // namespace

void add_bench_command(CLI::App& app) {
  CLI::App* bench = app.add_subcommand("bench", "Measure speed");
  bench->require_subcommand(1);
  add_local_loss_bench(*bench);
  add_rollout_bench(*bench);
  add_train_bench(*bench);
  // Last: the commands above would take it over.
  bench->footer("Example:\n  lpdm bench local-loss --n 4096 --threads 2");
}

}  // namespace lpdm
