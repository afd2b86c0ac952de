// `lpdm bench`: how long the work takes on this machine, with a verified result.
#include <fmt/format.h>

#include <memory>

#include "bench_local_loss.h"
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

void add_local_loss_bench(CLI::App& bench) {
  const auto arguments = std::make_shared<LocalLossBench>();
  const auto json = std::make_shared<bool>(false);
  CLI::App* command = bench.add_subcommand(
      "local-loss", "Time one whole update by LPDM and by backpropagation on the same batch");
  const auto count = [](std::int64_t most) { return CLI::Range(std::int64_t{1}, most); };
  command->add_option("--n", arguments->n, "Rows")->check(count(kMaxRows))->capture_default_str();
  command->add_option("--dim-x", arguments->dim_x, "Width of the network's input")
      ->check(count(1 << 16))
      ->capture_default_str();
  command->add_option("--hidden", arguments->hidden, "Widths of the hidden layers")
      ->delimiter(',')
      ->check(count(1 << 16))
      ->capture_default_str();
  command->add_option("--pairs", arguments->pairs, "all or landmarks:M")->capture_default_str();
  command->add_flag("--guided", arguments->guided, "Guided loss");
  command->add_option("--repeats", arguments->repeats, "Timed updates of each")
      ->check(count(100000))
      ->capture_default_str();
  command->add_option("--device", arguments->device, "auto, cpu or cuda")->capture_default_str();
  command->add_option("--threads", arguments->threads, "Threads")
      ->check(count(1024))
      ->capture_default_str();
  command->add_flag("--json", *json, "Print one JSON object; times in seconds");
  command->footer("Example:\n  lpdm bench local-loss --n 4096 --hidden 128,256 --threads 1");
  command->callback(
      [arguments, json] { print_local_loss(run_local_loss_bench(*arguments), *json); });
}

}  // namespace

void add_bench_command(CLI::App& app) {
  CLI::App* bench = app.add_subcommand("bench", "Measure speed");
  bench->require_subcommand(1);
  add_local_loss_bench(*bench);
}

}  // namespace lpdm
