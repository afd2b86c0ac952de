// `lpdm loss`: runs a file of loss or update cases, for comparison with another implementation.
#include <fmt/format.h>

#include <memory>

#include "commands.h"
#include "io/files.h"
#include "io/json_text.h"
#include "lpdm/backend.h"
#include "rl/loss_cases.h"

namespace lpdm {
namespace {

struct LossArguments {
  std::string cases;
  std::string device = "auto";
  std::string out;
};

constexpr std::uint64_t kMaxBytes = 1ULL << 30;

void run_loss(const LossArguments& arguments) {
  ThreadPool pool(1);
  const std::unique_ptr<Backend> backend = make_backend(arguments.device, pool);
  const Json cases =
      parse_json(read_file(arguments.cases, "case file", kMaxBytes), arguments.cases);
  const std::string text = run_loss_cases(cases, arguments.cases, *backend).dump() + "\n";
  if (arguments.out.empty()) {
    fmt::print("{}", text);
  } else {
    write_file(arguments.out, text);
  }
}

}  // namespace

void add_loss_command(CLI::App& app) {
  const auto arguments = std::make_shared<LossArguments>();
  CLI::App* command = app.add_subcommand(
      "loss", "Compute the losses and gradients, or whole updates, of a file of cases");
  command->add_option("CASES", arguments->cases, "Case file in the format of tests/data/loss")
      ->required();
  command->add_option("--device", arguments->device, "auto, cpu or cuda")->capture_default_str();
  command->add_option("--out", arguments->out, "File to write instead of standard output");
  command->footer("Example:\n  lpdm loss tests/data/loss/local_loss.json --out losses.json");
  command->callback([arguments] { run_loss(*arguments); });
}

}  // namespace lpdm
