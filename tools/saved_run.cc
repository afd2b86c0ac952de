#include "saved_run.h"

#include <fmt/format.h>

#include <vector>

#include "io/checkpoint.h"
#include "io/checkpoint_store.h"
#include "io/run_folder.h"
#include "notice.h"

namespace lpdm {

void add_saved_run_options(CLI::App& command, SavedRunArguments& arguments) {
  command.add_option("RUN", arguments.run, "Run folder")->required();
  command.add_flag("--best", arguments.best, "Take the best checkpoint, not the newest");
  command.add_option("--device", arguments.device, "auto, cpu or cuda, instead of the run's");
}

void add_seed_option(CLI::App& command, SavedRunArguments& arguments) {
  command.add_option("--seed", arguments.seed, "Seed of the episodes, instead of the run's");
}

std::unique_ptr<Trainer> load_saved_run(const SavedRunArguments& arguments) {
  const std::filesystem::path folder(arguments.run);
  std::vector<std::string> overrides;
  if (arguments.seed) overrides.push_back("run.seed=" + *arguments.seed);
  if (arguments.device) overrides.push_back("run.device=" + *arguments.device);
  auto trainer = std::make_unique<Trainer>(RunFolder::load_config(folder, overrides));
  const FoundCheckpoint found =
      find_checkpoint(folder, arguments.best ? WhichCheckpoint::kBest : WhichCheckpoint::kNewest);
  for (const std::string& sentence : found.damaged) {
    notice(fmt::format("warning: {}; using {}\n", sentence, found.path.string()));
  }
  restore_checkpoint(found.file, found.path.string(), RestoreFor::kEvaluation, *trainer);
  return trainer;
}

}  // namespace lpdm
