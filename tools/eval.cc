// `lpdm eval`: plays episodes with a trained policy.
#include <fmt/format.h>

#include <filesystem>
#include <memory>

#include "commands.h"
#include "io/checkpoint.h"
#include "io/checkpoint_store.h"
#include "io/run_metrics.h"
#include "lpdm/config.h"
#include "lpdm/trainer.h"
#include "notice.h"

namespace lpdm {
namespace {

struct EvalArguments {
  std::string run;
  std::int64_t episodes = 20;
  bool stochastic = false;
  bool best = false;
  bool json = false;
};

void run_eval(const EvalArguments& arguments) {
  const std::filesystem::path folder(arguments.run);
  Trainer trainer(load_config(folder / "config.json"));
  const FoundCheckpoint found =
      find_checkpoint(folder, arguments.best ? WhichCheckpoint::kBest : WhichCheckpoint::kNewest);
  for (const std::string& sentence : found.damaged) {
    notice(fmt::format("warning: {}; playing with {}\n", sentence, found.path.string()));
  }
  restore_checkpoint(found.file, found.path.string(), RestoreFor::kEvaluation, trainer);
  const EvaluationReport report = trainer.evaluate(arguments.episodes, !arguments.stochastic);
  if (arguments.json) {
    fmt::print("{}\n", evaluation_json(report).dump());
    return;
  }
  fmt::print("{} after {} iterations, {} episodes with {} actions\n", trainer.environment().id,
             trainer.progress().iteration, report.episodes,
             arguments.stochastic ? "sampled" : "the most likely");
  fmt::print("return {:.2f} ± {:.2f} (from {:.2f} to {:.2f}), mean length {:.1f}\n",
             report.return_mean, report.return_std, report.return_min, report.return_max,
             report.length_mean);
}

}  // namespace

void add_eval_command(CLI::App& app) {
  const auto arguments = std::make_shared<EvalArguments>();
  CLI::App* command = app.add_subcommand("eval", "Play episodes with a trained policy");
  command->add_option("RUN", arguments->run, "Run folder")->required();
  command->add_option("--episodes", arguments->episodes, "Episodes to play")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1'000'000}))
      ->capture_default_str();
  command->add_flag("--stochastic", arguments->stochastic,
                    "Sample actions instead of taking the most likely");
  command->add_flag("--best", arguments->best, "Play with the best checkpoint, not the newest");
  command->add_flag("--json", arguments->json, "Print one JSON object");
  command->footer("Example:\n  lpdm eval runs/cartpole --episodes 100");
  command->callback([arguments] { run_eval(*arguments); });
}

}  // namespace lpdm
