// What `lpdm sweep` is to do: every config with every seed, and how far each of these runs is.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "io/json_text.h"
#include "lpdm/config.h"

namespace lpdm {

struct SweepArguments {
  std::vector<std::string> configs;
  std::vector<std::string> overrides;
  std::string seeds;
  std::int64_t jobs = 0;  // 0: as many as there are cores for
  std::int64_t threads = 1;
  std::string out = "runs/sweep";
};

struct SweepConfig {
  std::string name;  // the file's, or its path below the folder that was named; no extension
  std::string path;
  Config config;  // of any seed
};

enum class RunState { kMissing, kInterrupted, kComplete };

struct SweepRun {
  std::size_t config = 0;  // place in SweepPlan::configs
  std::uint64_t seed = 0;
  std::filesystem::path folder;
  RunState state = RunState::kMissing;

  // What its process prints goes here, beside the folder: a new run wants an empty one.
  std::filesystem::path log() const { return folder.string() + ".log"; }
};

struct SweepPlan {
  std::vector<SweepConfig> configs;
  std::vector<std::uint64_t> seeds;
  std::vector<SweepRun> runs;  // seed by seed, so that a sweep cut short compares like with like
  std::int64_t jobs = 1;
  std::string notice;  // why there are fewer jobs than asked for; may be empty
};

// Reads and checks everything, and looks at what is there; writes nothing. Throws UsageError for a
// config or list of seeds that is wrong, two configs of one name, a device that is not there, a
// run that cannot fit into memory, or a run of another config where one of this sweep belongs.
SweepPlan plan_sweep(const SweepArguments& arguments);

// The command line of one run, without the program's name.
std::vector<std::string> train_arguments(const SweepArguments& arguments, const SweepPlan& plan,
                                         const SweepRun& run);

// The command that goes on with a sweep, as one types it.
std::string sweep_command_line(const SweepArguments& arguments);

// The run's summary.json; nothing if there is none or it is damaged.
std::optional<Json> read_summary(const std::filesystem::path& folder);

}  // namespace lpdm
