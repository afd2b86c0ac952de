// The checkpoints of one run: the newest few and the best, in the folder `checkpoints` of the run.
//
//   iteration-000000100.safetensors   one of the newest run.keep_checkpoints
//   best.safetensors                  the one with the best mean return so far
//   manifest.json                     what there is: format version, files, iterations, returns
//
// Every file is replaced whole or not at all and carries a checksum, so that a program killed at
// any moment leaves the checkpoints before usable. The manifest is for people and other programs;
// what is loaded is found by the files themselves.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "io/json_text.h"
#include "io/safetensors.h"
#include "lpdm/trainer.h"

namespace lpdm {

class CheckpointStore {
 public:
  // Of the run in folder `run`, which stands at `iteration`; keeps the newest `keep` (at least 1)
  // checkpoints. Later ones, which belong to a course that has been left, are forgotten with the
  // first save. What killed programs left half written in the run is removed; nobody else may be
  // writing to it.
  CheckpointStore(const std::filesystem::path& run, std::int64_t keep, std::int64_t iteration);

  // Writes the trainer's state, and once more as the best if `return_mean` is above all before.
  // Throws IoError; the checkpoints before stay.
  void save(Trainer& trainer, std::optional<double> return_mean);

 private:
  void forget_others() const;
  void write_manifest() const;

  struct Entry {
    std::string file;
    std::int64_t iteration = 0;
    std::optional<double> return_mean;
  };
  static Json entry_json(const Entry& entry);

  std::filesystem::path folder_;
  std::int64_t keep_;
  std::vector<Entry> entries_;  // by iteration
  std::optional<Entry> best_;
};

enum class WhichCheckpoint { kNewest, kBest };

struct FoundCheckpoint {
  std::filesystem::path path;
  TensorFile file;
  std::vector<std::string> damaged;  // a sentence for each newer one that cannot be used
};

// The newest undamaged checkpoint of the run in folder `run`, or its best. Throws UsageError if
// there is none, or none that can be used.
FoundCheckpoint find_checkpoint(const std::filesystem::path& run,
                                WhichCheckpoint which = WhichCheckpoint::kNewest);

// Whether the run has ever saved anything.
bool has_checkpoint(const std::filesystem::path& run);

}  // namespace lpdm
