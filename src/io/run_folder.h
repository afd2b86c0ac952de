// The folder of one run: config.json, provenance.json (what it was made with), metrics.jsonl (one
// line per iteration) and summary.json.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "io/append_file.h"
#include "io/json_text.h"
#include "lpdm/config.h"

namespace lpdm {

// Owns the open metrics file. One thread at a time; see RunLock for one program at a time.
// Numbers are written with the digits it takes to read them back unchanged, so equal runs give
// equal files; not-a-number and infinities become null. Every write throws IoError if the disk is
// full or the folder is not writable; what was saved before stays as it was.
class RunFolder {
 public:
  enum class Start {
    kNew,     // a folder that is missing or empty; UsageError otherwise
    kResume,  // a folder with a run in it; UsageError otherwise
  };

  RunFolder(std::filesystem::path path, Start start);

  // Before a resume: drops the metrics of iterations that the checkpoint does not know, and returns
  // the `iterations` lines that stay. Throws UsageError if there are fewer or one is damaged.
  static std::vector<Json> keep_metrics(const std::filesystem::path& folder,
                                        std::int64_t iterations);

  // Throws UsageError unless there is a run in the folder.
  static void require_run(const std::filesystem::path& folder);
  // The config of the run in the folder. Throws UsageError likewise.
  static Config load_config(const std::filesystem::path& folder,
                            std::span<const std::string> overrides = {});

  const std::filesystem::path& path() const { return path_; }

  void write_config(const Config& config);
  // Appends one line. `metrics`: one iteration's object.
  void append_metrics(const Json& metrics);
  void write_summary(const Json& summary);
  // Adds one entry to provenance.json, which has one for every start of the run.
  void add_provenance(const Json& entry);
  // Waits until the disk has the metrics.
  void sync() { metrics_.sync(); }

 private:
  std::filesystem::path path_;
  AppendFile metrics_;
};

// Whether a run of config `before` may go on as `now`: only run.iterations, run.device,
// run.threads, run.log_every, run.checkpoint_every, run.keep_checkpoints, run.tensorboard and
// run.stop_return may differ.
bool may_continue(const Config& before, Config now);

}  // namespace lpdm
