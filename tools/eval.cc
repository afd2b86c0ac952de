// `lpdm eval`: plays episodes with a trained policy.
#include <fmt/format.h>

#include <memory>

#include "commands.h"
#include "io/run_metrics.h"
#include "lpdm/trainer.h"
#include "saved_run.h"

namespace lpdm {
namespace {

struct EvalArguments {
  SavedRunArguments saved;
  std::int64_t episodes = 20;
  bool stochastic = false;
  bool json = false;
};

void run_eval(const EvalArguments& arguments) {
  const std::unique_ptr<Trainer> trainer = load_saved_run(arguments.saved);
  const EvaluationReport report = trainer->evaluate(arguments.episodes, !arguments.stochastic);
  if (arguments.json) {
    fmt::print("{}\n", evaluation_json(report).dump());
    return;
  }
  fmt::print("{} after {} iterations, {} episodes with {} actions\n", trainer->environment().id,
             trainer->progress().iteration, report.episodes,
             arguments.stochastic ? "sampled" : "the most likely");
  fmt::print("return {:.2f} ± {:.2f} (from {:.2f} to {:.2f}), mean length {:.1f}\n",
             report.return_mean, report.return_std, report.return_min, report.return_max,
             report.length_mean);
}

}  // namespace

void add_eval_command(CLI::App& app) {
  const auto arguments = std::make_shared<EvalArguments>();
  CLI::App* command = app.add_subcommand("eval", "Play episodes with a trained policy");
  add_saved_run_options(*command, arguments->saved);
  add_seed_option(*command, arguments->saved);
  command->add_option("--episodes", arguments->episodes, "Episodes to play")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1'000'000}))
      ->capture_default_str();
  command->add_flag("--stochastic", arguments->stochastic,
                    "Sample actions instead of taking the most likely");
  command->add_flag("--json", arguments->json, "Print one JSON object");
  command->footer(
      "Examples:\n"
      "  lpdm eval runs/cartpole --episodes 100\n"
      "  lpdm eval runs/cartpole --best --stochastic --json");
  command->callback([arguments] { run_eval(*arguments); });
}

}  // namespace lpdm
