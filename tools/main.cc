// The program `lpdm`: parses the command line, runs one subcommand and turns its outcome into an
// exit status: 0 done, 2 bad usage or config, 1 any other error, or what the command asks for.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include "commands.h"
#include "core/build_info.h"
#include "core/nearest_name.h"
#include "io/descriptor.h"
#include "lpdm/error.h"
#include "notice.h"

namespace lpdm {
namespace {

constexpr int kFailure = 1;
constexpr int kBadUsage = 2;

int report(std::string sentence, int status) {
  std::ranges::replace(sentence, '\n', ' ');
  std::cout.flush();
  notice(fmt::format("lpdm: {}\n", sentence));
  return status;
}

void add_commands(CLI::App& app) {
  add_train_command(app);
  add_sweep_command(app);
  add_eval_command(app);
  add_play_command(app);
  add_plot_command(app);
  add_report_command(app);
  add_watch_command(app);
  add_distances_command(app);
  add_export_command(app);
  add_replay_command(app);
  add_loss_command(app);
  add_bench_command(app);
  add_profile_command(app);
  add_envs_command(app);
  add_config_command(app);
  add_info_command(app);
  add_completion_command(app);
}

std::string suggestion(const std::string& given, const std::vector<std::string>& known) {
  const std::string nearest = nearest_name(given, known);
  return nearest.empty() ? "" : fmt::format(", did you mean \"{}\"?", nearest);
}

std::vector<std::string> command_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands({})) names.push_back(command->get_name());
  return names;
}

// What is wrong with a command line that CLI11 refused.
std::string parse_problem(const CLI::App& app, const CLI::ParseError& error) {
  if (app.get_subcommands().empty()) return fmt::format("{} (see lpdm --help)", error.what());
  const CLI::App* command = app.get_subcommands().front();
  std::string problem = error.what();
  if (const std::vector<std::string> extras = command->remaining(); !extras.empty()) {
    std::vector<std::string> names;
    for (const CLI::Option* option : command->get_options()) {
      for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    }
    const std::string given = extras.front().substr(0, extras.front().find('='));
    problem = fmt::format("unexpected argument \"{}\"{}", extras.front(),
                          given.starts_with('-') ? suggestion(given, names) : "");
  }
  return fmt::format("{}: {} (see lpdm {} --help)", command->get_name(), problem,
                     command->get_name());
}

int parse_and_run(CLI::App& app, int argc, char** argv) {
  if (argc < 2) {
    std::cerr << app.help();
    return kBadUsage;
  }
  const std::vector<std::string> names = command_names(app);
  const std::string first = argv[1];
  if (!first.starts_with('-') && std::ranges::find(names, first) == names.end()) {
    return report(fmt::format("there is no command \"{}\"{} (lpdm --help lists them)", first,
                              suggestion(first, names)),
                  kBadUsage);
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& help_or_version) {
    return app.exit(help_or_version);
  } catch (const CLI::RuntimeError& ended) {
    return ended.get_exit_code();
  } catch (const CLI::ParseError& error) {
    return report(parse_problem(app, error), kBadUsage);
  }
  return 0;
}

std::string output_problem() { return "cannot write to standard output: " + system_message(errno); }

// Whether everything printed has arrived; a full disk shows only here.
bool flush_output() { return std::cout.flush().good() && std::fflush(stdout) == 0; }

int run(int argc, char** argv) {
  try {
    CLI::App app(
        "Reinforcement learning without backpropagation, by local pairwise distance matching",
        "lpdm");
    app.set_version_flag("--version", [] {
      const BuildInfo build = build_info();
      return fmt::format("lpdm {} (commit {})", build.version, build.commit);
    });
    app.require_subcommand(0, 1);
    app.footer(
        "Example:\n  lpdm train configs/cartpole-lpdm.json --set run.seed=1 --out runs/cartpole");
    add_commands(app);
    const int status = parse_and_run(app, argc, argv);
    if (status == 0 && !flush_output()) {
      return report(output_problem(), kFailure);
    }
    return status;
  } catch (const UsageError& error) {
    return report(error.what(), kBadUsage);
  } catch (const std::bad_alloc&) {
    return report(
        "out of memory: use shorter batches (algorithm.episodes_per_update), a narrower "
        "network.hidden, or hidden.pairs=landmarks:64",
        kFailure);
  } catch (const std::exception& error) {
    if (std::ferror(stdout) != 0) return report(output_problem(), kFailure);
    return report(error.what(), kFailure);
  }
}

// OpenBLAS starts threads when it is loaded, and they spin for a tenth of a second on the cores
// that ours are meant for. Only the environment keeps it from that: the program starts anew with it
// set. Where that cannot be done, all works as well, only slower at first.
void keep_blas_from_starting_threads(char** argv) {
  constexpr const char* kVariable = "OPENBLAS_NUM_THREADS";
  if (std::getenv(kVariable) != nullptr || setenv(kVariable, "1", 0) != 0) return;
  execv("/proc/self/exe", argv);
}

}  // namespace
}  // namespace lpdm

int main(int argc, char** argv) {
  lpdm::keep_blas_from_starting_threads(argv);
  return lpdm::run(argc, argv);
}
