// `lpdm distances`: the pairwise matrices of one episode, as a file.
#include <fmt/format.h>

#include <filesystem>
#include <memory>

#include "commands.h"
#include "io/checkpoint.h"
#include "io/checkpoint_store.h"
#include "io/run_folder.h"
#include "io/safetensors.h"
#include "lpdm/trainer.h"
#include "notice.h"

namespace lpdm {
namespace {

struct DistancesArguments {
  std::string run;
  std::string out;
  std::int64_t rows = 500;
  bool best = false;
};

TensorFile distances_file(EpisodeDistances distances, const Trainer& trainer) {
  TensorFile file;
  const std::int64_t n = distances.rows;
  file.metadata = {{"environment", trainer.environment().id},
                   {"iteration", fmt::format("{}", trainer.progress().iteration)},
                   {"length", fmt::format("{}", distances.length)},
                   {"return", fmt::format("{}", distances.return_sum)}};
  file.tensors["target"] = {{n, n}, std::move(distances.target)};
  for (std::size_t l = 0; l < distances.layers.size(); ++l) {
    LayerDistances& layer = distances.layers[l];
    const std::string name = fmt::format("layer_{}", l + 1);
    file.metadata[name + ".width"] = fmt::format("{}", layer.width);
    file.metadata[name + ".loss"] = fmt::format("{}", layer.loss);
    file.metadata[name + ".correlation"] = fmt::format("{}", layer.correlation);
    file.tensors[name] = {{n, n}, std::move(layer.distances)};
  }
  return file;
}

void run_distances(const DistancesArguments& arguments) {
  const std::filesystem::path folder(arguments.run);
  Trainer trainer(RunFolder::load_config(folder));
  const FoundCheckpoint found =
      find_checkpoint(folder, arguments.best ? WhichCheckpoint::kBest : WhichCheckpoint::kNewest);
  for (const std::string& sentence : found.damaged) {
    notice(fmt::format("warning: {}; using {}\n", sentence, found.path.string()));
  }
  restore_checkpoint(found.file, found.path.string(), RestoreFor::kEvaluation, trainer);
  save_safetensors(arguments.out,
                   distances_file(trainer.episode_distances(arguments.rows), trainer));
}

}  // namespace

void add_distances_command(CLI::App& app) {
  const auto arguments = std::make_shared<DistancesArguments>();
  CLI::App* command = app.add_subcommand(
      "distances", "Write the matrices T and D_Y that the local loss compares, of one episode");
  command->add_option("RUN", arguments->run, "Run folder")->required();
  command->add_option("--out", arguments->out, "File to write, in the safetensors format")
      ->required();
  command->add_option("--rows", arguments->rows, "Most steps of the episode, evenly spread over it")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{20'000}))
      ->capture_default_str();
  command->add_flag("--best", arguments->best, "Play with the best checkpoint, not the newest");
  command->footer("Example:\n  lpdm distances runs/cartpole --out distances.safetensors");
  command->callback([arguments] { run_distances(*arguments); });
}

}  // namespace lpdm
