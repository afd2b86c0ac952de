// The trained policy of a run folder, as the commands that use one load it.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "lpdm/trainer.h"

namespace lpdm {

struct SavedRunArguments {
  std::string run;
  bool best = false;
  std::optional<std::string> seed;    // instead of the run's
  std::optional<std::string> device;  // instead of the run's
};

// Gives `command` the argument RUN and the options --best and --device.
void add_saved_run_options(CLI::App& command, SavedRunArguments& arguments);
// Gives it --seed, of the episodes that are played.
void add_seed_option(CLI::App& command, SavedRunArguments& arguments);

// A trainer at the newest checkpoint of the run, or its best; says on stderr if a damaged one had
// to be passed over. Throws UsageError if there is no such run or no checkpoint that can be used.
std::unique_ptr<Trainer> load_saved_run(const SavedRunArguments& arguments);

}  // namespace lpdm
