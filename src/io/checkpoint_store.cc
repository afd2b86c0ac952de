#include "io/checkpoint_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "io/checkpoint.h"
#include "io/checkpoint_reader.h"
#include "io/checksum.h"
#include "io/files.h"
#include "lpdm/error.h"

namespace lpdm {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFormat = "lpdm-checkpoints-1";
constexpr const char* kFolder = "checkpoints";
constexpr const char* kManifest = "manifest.json";
constexpr const char* kBest = "best.safetensors";
constexpr const char* kPrefix = "iteration-";
constexpr const char* kReturn = "return_mean";  // in the metadata

// Runs of earlier programs have this one file.
constexpr const char* kOnlyFile = "checkpoint.safetensors";

std::string file_name(std::int64_t iteration) {
  return fmt::format("{}{:09}.safetensors", kPrefix, iteration);
}

// Of a file_name; none for another name.
std::optional<std::int64_t> iteration_of(const fs::path& path) {
  const std::string name = path.filename().string();
  const std::string_view prefix = kPrefix;
  if (!name.starts_with(prefix)) return std::nullopt;
  std::int64_t iteration = 0;
  const auto parsed =
      std::from_chars(name.data() + prefix.size(), name.data() + name.size(), iteration);
  if (parsed.ec != std::errc() || name != file_name(iteration)) return std::nullopt;
  return iteration;
}

// Those of single iterations, newest first.
std::vector<fs::path> checkpoints_in(const fs::path& folder) {
  std::vector<fs::path> paths;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (iteration_of(entry.path())) paths.push_back(entry.path());
  }
  std::ranges::sort(paths, std::greater<>(), iteration_of);
  return paths;
}

// What a checkpoint says of itself.
struct Label {
  std::int64_t iteration = 0;
  std::optional<double> return_mean;
};

// None if the file is missing or damaged.
std::optional<Label> read_label(const fs::path& path) {
  try {
    const TensorFile file = load_with_checksum(path);
    Label label;
    label.iteration = saved_iteration(file);
    if (const auto found = file.metadata.find(kReturn); found != file.metadata.end()) {
      label.return_mean = std::stod(found->second);
    }
    return label;
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

}  // namespace

CheckpointStore::CheckpointStore(const fs::path& run, std::int64_t keep, std::int64_t iteration)
    : folder_(run / kFolder), keep_(keep) {
  remove_leftovers(run);
  remove_leftovers(folder_);
  for (const fs::path& path : checkpoints_in(folder_)) {
    const std::int64_t saved_at = *iteration_of(path);
    if (saved_at > iteration) continue;
    const std::optional<Label> label = read_label(path);
    entries_.insert(entries_.begin(), {path.filename().string(), saved_at,
                                       label ? label->return_mean : std::nullopt});
  }
  const std::optional<Label> best = read_label(folder_ / kBest);
  if (best && best->return_mean && best->iteration <= iteration) {
    best_ = Entry{kBest, best->iteration, best->return_mean};
  }
}

void CheckpointStore::save(Trainer& trainer, std::optional<double> return_mean) {
  const std::int64_t iteration = trainer.progress().iteration;
  std::error_code ignored;  // write_file says what is wrong
  fs::create_directories(folder_, ignored);
  TensorFile file = checkpoint_tensors(trainer);
  if (return_mean) file.metadata[kReturn] = fmt::format("{}", *return_mean);
  const Entry entry{file_name(iteration), iteration, return_mean};
  const std::string bytes = encode_with_checksum(std::move(file));
  write_file(folder_ / entry.file, bytes);
  std::erase_if(entries_, [&](const Entry& e) { return e.iteration >= iteration; });
  entries_.push_back(entry);
  if (return_mean && (!best_ || *return_mean > *best_->return_mean)) {
    write_file(folder_ / kBest, bytes);
    best_ = Entry{kBest, iteration, return_mean};
  }
  const auto kept = std::min<std::ptrdiff_t>(keep_, std::ssize(entries_));
  entries_.erase(entries_.begin(), entries_.end() - kept);
  write_manifest();
  forget_others();
}

void CheckpointStore::forget_others() const {
  for (const fs::path& path : checkpoints_in(folder_)) {
    const std::string name = path.filename().string();
    std::error_code ignored;  // an old file that stays does no harm
    if (std::ranges::find(entries_, name, &Entry::file) == entries_.end()) {
      fs::remove(path, ignored);
    }
  }
}

Json CheckpointStore::entry_json(const Entry& entry) {
  return {{"file", entry.file},
          {"iteration", entry.iteration},
          {"return_mean", entry.return_mean ? Json(*entry.return_mean) : Json(nullptr)}};
}

void CheckpointStore::write_manifest() const {
  Json checkpoints = Json::array();
  for (const Entry& entry : entries_) checkpoints.push_back(entry_json(entry));
  const Json manifest{{"format", kFormat},
                      {"checkpoints", checkpoints},
                      {"best", best_ ? entry_json(*best_) : Json(nullptr)}};
  write_file(folder_ / kManifest, manifest.dump(2) + "\n");
}

FoundCheckpoint find_checkpoint(const fs::path& run, WhichCheckpoint which) {
  std::error_code error;
  if (which == WhichCheckpoint::kBest) {
    const fs::path path = run / kFolder / kBest;
    if (!fs::exists(path, error)) {
      throw UsageError(fmt::format(
          "\"{}\" has no best checkpoint, as one is kept from the 50th iteration in which an "
          "episode ended on; take the newest by leaving --best out",
          run.string()));
    }
    return {path, load_with_checksum(path), {}};
  }
  std::vector<std::string> damaged;
  for (const fs::path& path : checkpoints_in(run / kFolder)) {
    try {
      return {path, load_with_checksum(path), damaged};
    } catch (const UsageError& failure) {
      damaged.emplace_back(failure.what());
    }
  }
  if (!damaged.empty()) throw UsageError(damaged.front());
  if (fs::exists(run / kOnlyFile, error)) {
    return {run / kOnlyFile, load_safetensors(run / kOnlyFile), {}};
  }
  throw UsageError(fmt::format(
      "\"{}\" holds no checkpoint; expected the folder of a run that has saved one", run.string()));
}

bool has_checkpoint(const fs::path& run) {
  std::error_code error;
  return !checkpoints_in(run / kFolder).empty() || fs::exists(run / kOnlyFile, error);
}

}  // namespace lpdm
