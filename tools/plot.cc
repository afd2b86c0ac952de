// `lpdm plot`: pictures of runs, drawn in Python.
#include <filesystem>
#include <memory>
#include <optional>

#include "commands.h"
#include "lpdm/error.h"
#include "python_program.h"

namespace lpdm {
namespace {

struct PlotArguments {
  std::vector<std::string> runs;
  std::optional<std::string> out;
  bool html = false;
  bool no_distances = false;
  std::optional<double> threshold;
};

void run_plot(const PlotArguments& arguments) {
  std::vector<std::string> words = arguments.runs;
  words.insert(words.end(), {"--out", arguments.out.value_or(arguments.html ? "lpdm-plot.html"
                                                                            : "lpdm-plot.png")});
  if (arguments.html) words.emplace_back("--html");
  if (arguments.no_distances) words.emplace_back("--no-distances");
  if (arguments.threshold) {
    words.push_back("--threshold=" + std::to_string(*arguments.threshold));
  }
  become_python("plot", words);
}

}  // namespace

void add_plot_command(CLI::App& app) {
  const auto arguments = std::make_shared<PlotArguments>();
  CLI::App* command =
      app.add_subcommand("plot", "Draw learning curves, diagnostics and distance matrices of runs");
  command
      ->add_option("RUN", arguments->runs,
                   "Run folders, folders with runs below them (of a sweep), or result files")
      ->required();
  command->add_option("--out", arguments->out,
                      "What to write, by its extension: .png, .svg, .html, or .csv for the "
                      "metrics as one table; default lpdm-plot.png");
  command->add_flag("--html", arguments->html,
                    "Write one self-contained page; default lpdm-plot.html");
  command->add_option("--threshold", arguments->threshold,
                      "Return that counts as solved: a line in the curves, a column in the table");
  command->add_flag("--no-distances", arguments->no_distances,
                    "Leave out the matrices T and D_Y, for which an episode is played");
  command->footer(
      "Runs of one config are drawn as their mean with a 95 % bootstrap band over the seeds.\n"
      "Examples:\n"
      "  lpdm plot runs/cartpole-lpdm runs/cartpole-backprop --out curves.png\n"
      "  lpdm plot runs/sweep --html --out runs/sweep.html\n"
      "  lpdm plot runs/cartpole-lpdm --out metrics.csv");
  command->callback([arguments] { run_plot(*arguments); });
}

}  // namespace lpdm
