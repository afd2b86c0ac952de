// The subcommands of the program: each adds itself to the command line and runs when it is parsed.
//
// A command reports failure by throwing: UsageError (exit status 2) or any other exception (1).
// One that ends with another status without an error, as after a signal, throws
// CLI::RuntimeError(status). Results go to stdout, everything else to stderr.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace lpdm {

void add_train_command(CLI::App& app);
void add_sweep_command(CLI::App& app);
void add_eval_command(CLI::App& app);
void add_play_command(CLI::App& app);
void add_plot_command(CLI::App& app);
void add_report_command(CLI::App& app);
void add_watch_command(CLI::App& app);
void add_distances_command(CLI::App& app);
void add_export_command(CLI::App& app);
void add_replay_command(CLI::App& app);
void add_loss_command(CLI::App& app);
void add_bench_command(CLI::App& app);
void add_profile_command(CLI::App& app);
void add_envs_command(CLI::App& app);
void add_config_command(CLI::App& app);
void add_info_command(CLI::App& app);
// After all others, which it describes.
void add_completion_command(CLI::App& app);

// Gives `command` the option --set key.path=value, which may be repeated.
void add_set_option(CLI::App& command, std::vector<std::string>& overrides);

}  // namespace lpdm
