#include "sweep_plan.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include "core/available_memory.h"
#include "core/cuda_library.h"
#include "io/checkpoint_store.h"
#include "io/descriptor.h"
#include "io/files.h"
#include "io/run_folder.h"
#include "lpdm/backend.h"
#include "lpdm/error.h"
#include "lpdm/memory_plan.h"
#include "lpdm/thread_pool.h"
#include "seed_list.h"

namespace lpdm {
namespace {

namespace fs = std::filesystem;

// A config file, and the name that its runs have.
struct NamedFile {
  std::string name;
  std::string path;
};

// The file itself, or the configs anywhere below a folder, named by where they are in it.
std::vector<NamedFile> config_files(const fs::path& path) {
  std::error_code error;
  if (!fs::is_directory(path, error)) return {{path.stem().string(), path.string()}};
  std::vector<NamedFile> files;
  for (const auto& entry : fs::recursive_directory_iterator(path, error)) {
    if (entry.path().extension() != ".json") continue;
    const fs::path place = entry.path().lexically_relative(path);
    files.push_back({fs::path(place).replace_extension().string(), entry.path().string()});
  }
  if (error) throw_io_error("read the folder", path, error.value());
  if (files.empty()) {
    throw UsageError(
        fmt::format("\"{}\" has no configs (.json) in it; name a config, or a folder "
                    "of configs",
                    path.string()));
  }
  std::ranges::sort(files, {}, &NamedFile::path);
  return files;
}

std::vector<SweepConfig> load_configs(const SweepArguments& arguments) {
  std::vector<NamedFile> files;
  for (const std::string& path : arguments.configs) {
    const std::vector<NamedFile> found = config_files(path);
    files.insert(files.end(), found.begin(), found.end());
  }
  std::vector<SweepConfig> configs;
  std::map<std::string, std::string> path_of;
  for (const auto& [name, path] : files) {
    if (const auto [other, is_new] = path_of.emplace(name, path); !is_new) {
      throw UsageError(
          fmt::format("{} and {} have the same name, so their runs would share the folder \"{}\"; "
                      "rename one of them",
                      other->second, path, name));
    }
    std::vector<std::string> overrides = arguments.overrides;
    overrides.push_back(fmt::format("run.threads={}", arguments.threads));
    configs.push_back({name, path, load_config(path, overrides)});
  }
  return configs;
}

// Throws if the device is not there. Of a GPU it only asks for that: a backend would hold a part of
// what the runs may need.
void check_device(const Config& config) {
  if (config.run.device != "cpu" && cuda_library().usable()) return;
  ThreadPool pool(1);
  make_backend(config.run.device, pool, backend_options(config));
}

// What the largest of the configs may need. Throws for one that cannot fit even alone.
std::int64_t largest_need(const std::vector<SweepConfig>& configs, std::int64_t available) {
  std::int64_t largest = 0;
  for (const SweepConfig& config : configs) {
    const MemoryPlan plan = plan_memory(config.config);
    try {
      require_memory(plan, available);
    } catch (const UsageError& error) {
      throw UsageError(fmt::format("{}: {}", config.path, error.what()));
    }
    largest = std::max(largest, plan.total());
  }
  return largest;
}

void choose_jobs(const SweepArguments& arguments, SweepPlan& plan) {
  const std::int64_t cores = std::max<std::int64_t>(1, hardware_threads() / arguments.threads);
  plan.jobs = arguments.jobs > 0 ? arguments.jobs : cores;
  const auto available = available_memory();
  if (!available) return;
  const std::int64_t need = largest_need(plan.configs, *available);
  const std::int64_t fitting = *available / need;
  if (fitting >= plan.jobs) return;
  plan.notice = fmt::format("{} at once instead of {}: a run may need {}, {} are available",
                            fitting, plan.jobs, bytes_text(need), bytes_text(*available));
  plan.jobs = fitting;
}

// Whether the run has made all iterations, or reached the return that ends it.
bool is_complete(const Json& summary, const RunConfig& config) {
  if (summary.value("iterations", std::int64_t{0}) >= config.iterations) return true;
  const Json best = summary.value("best_mean_50", Json(nullptr));  // null before 50 iterations
  const Json last = summary.value("last_mean_50", Json(nullptr));
  return config.stop_return && best.is_number() && last.is_number() &&
         last.get<double>() >= *config.stop_return;
}

RunState state_of(const fs::path& folder, const Config& config) {
  std::error_code error;
  if (!fs::exists(folder / "config.json", error)) return RunState::kMissing;
  if (!may_continue(load_config(folder / "config.json"), config)) {
    throw UsageError(fmt::format(
        "\"{}\" holds a run of another config; choose another --out, or rename the config",
        folder.string()));
  }
  if (!has_checkpoint(folder)) return RunState::kMissing;
  const std::optional<Json> summary = read_summary(folder);
  const bool complete = summary && is_complete(*summary, config.run);
  return complete ? RunState::kComplete : RunState::kInterrupted;
}

// A word as a shell reads it back.
std::string shell_word(const std::string& word) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./=:,+%@";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) return word;
  std::string quoted = "'";
  for (const char letter : word) quoted += letter == '\'' ? "'\\''" : std::string(1, letter);
  return quoted + "'";
}

}  // namespace

SweepPlan plan_sweep(const SweepArguments& arguments) {
  SweepPlan plan;
  plan.seeds = parse_seeds(arguments.seeds);
  plan.configs = load_configs(arguments);
  for (const SweepConfig& config : plan.configs) check_device(config.config);
  choose_jobs(arguments, plan);
  for (const std::uint64_t seed : plan.seeds) {
    for (std::size_t c = 0; c < plan.configs.size(); ++c) {
      Config config = plan.configs[c].config;
      config.run.seed = seed;
      const fs::path folder =
          fs::path(arguments.out) / plan.configs[c].name / fmt::format("seed-{}", seed);
      plan.runs.push_back({c, seed, folder, state_of(folder, config)});
    }
  }
  return plan;
}

std::vector<std::string> train_arguments(const SweepArguments& arguments, const SweepPlan& plan,
                                         const SweepRun& run) {
  std::vector<std::string> words = {"train", plan.configs[run.config].path};
  for (const std::string& assignment : arguments.overrides) {
    words.insert(words.end(), {"--set", assignment});
  }
  words.insert(words.end(), {"--seed", fmt::to_string(run.seed), "--threads",
                             fmt::to_string(arguments.threads), "--out", run.folder.string()});
  if (run.state == RunState::kInterrupted) words.emplace_back("--resume");
  return words;
}

std::string sweep_command_line(const SweepArguments& arguments) {
  std::vector<std::string> words = {"lpdm", "sweep"};
  for (const std::string& config : arguments.configs) words.push_back(shell_word(config));
  words.insert(words.end(), {"--seeds", arguments.seeds, "--out", shell_word(arguments.out)});
  if (arguments.jobs > 0) words.insert(words.end(), {"--jobs", fmt::to_string(arguments.jobs)});
  if (arguments.threads != 1) {
    words.insert(words.end(), {"--threads", fmt::to_string(arguments.threads)});
  }
  for (const std::string& assignment : arguments.overrides) {
    words.insert(words.end(), {"--set", shell_word(assignment)});
  }
  return fmt::format("{}", fmt::join(words, " "));
}

std::optional<Json> read_summary(const fs::path& folder) {
  constexpr std::uint64_t kMaxBytes = 1 << 20;
  const fs::path path = folder / "summary.json";
  try {
    Json summary = parse_json(read_file(path, "summary", kMaxBytes), path.string());
    return summary.is_object() ? std::optional(std::move(summary)) : std::nullopt;
  } catch (const UsageError&) {
    return std::nullopt;
  }
}

}  // namespace lpdm
