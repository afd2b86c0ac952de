// `lpdm report`: scores of many runs beside the paper's, worked out in Python.
#include <memory>
#include <optional>

#include "commands.h"
#include "python_program.h"

namespace lpdm {
namespace {

struct ReportArguments {
  std::vector<std::string> runs;
  std::optional<std::string> save;
  std::optional<std::string> seeds;
  bool json = false;
  bool variants = false;
  bool markdown = false;
};

void run_report(const ReportArguments& arguments) {
  std::vector<std::string> words = arguments.runs;
  if (arguments.json) words.emplace_back("--json");
  if (arguments.markdown) words.emplace_back("--markdown");
  if (arguments.variants) words.emplace_back("--variants");
  if (arguments.seeds) words.insert(words.end(), {"--seeds", *arguments.seeds});
  if (arguments.save) words.insert(words.end(), {"--save", *arguments.save});
  become_python("report", words);
}

}  // namespace

void add_report_command(CLI::App& app) {
  const auto arguments = std::make_shared<ReportArguments>();
  CLI::App* command = app.add_subcommand(
      "report", "Compare runs over seeds: max score beside the paper's, IQM, performance profiles");
  command
      ->add_option("RUN", arguments->runs,
                   "Run folders, folders with runs below them (of a sweep), or result files")
      ->required();
  CLI::Option* json = command->add_flag("--json", arguments->json, "Print one JSON object");
  command
      ->add_flag("--variants", arguments->variants,
                 "Print one table: a line for each variant, a column for each environment")
      ->excludes(json);
  command->add_flag("--markdown", arguments->markdown, "Print tables as Markdown")->excludes(json);
  command->add_option("--seeds", arguments->seeds,
                      "Leave out all but these seeds, as in 0-19 or 0-4,7");
  command->add_option("--save", arguments->save,
                      "Folder for small result files, one per config, which report and plot read "
                      "in place of the runs");
  command->footer(
      "Examples:\n"
      "  lpdm report runs/sweep\n"
      "  lpdm report runs/sweep --save results\n"
      "  lpdm report results --json\n"
      "  lpdm report results --variants --seeds 0-4");
  command->callback([arguments] { run_report(*arguments); });
}

}  // namespace lpdm
