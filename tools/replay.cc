// `lpdm replay`: steps an environment through recorded actions and prints what it did.
#include "env/replay.h"

#include <fmt/format.h>

#include <memory>

#include "commands.h"
#include "env/trace.h"
#include "io/files.h"

namespace lpdm {
namespace {

struct ReplayArguments {
  std::string trace;
  std::string out;
};

void run_replay(const ReplayArguments& arguments) {
  const std::string json = replay_json(replay_trace(read_trace(arguments.trace)));
  if (arguments.out.empty()) {
    fmt::print("{}", json);
  } else {
    write_file(arguments.out, json);
  }
}

}  // namespace

void add_replay_command(CLI::App& app) {
  const auto arguments = std::make_shared<ReplayArguments>();
  CLI::App* command = app.add_subcommand(
      "replay", "Replay recorded episodes and print every observation, reward and end as JSON");
  command->add_option("TRACE", arguments->trace, "Episodes: initial states and actions")
      ->required();
  command->add_option("--out", arguments->out, "File to write instead of standard output");
  command->footer("Example:\n  lpdm replay tests/data/envs/Hopper-v4.json --out replayed.json");
  command->callback([arguments] { run_replay(*arguments); });
}

}  // namespace lpdm
