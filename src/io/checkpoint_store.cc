#include "io/checkpoint_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "io/checkpoint.h"
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
constexpr std::uint64_t kMaxManifestBytes = 1U << 20;

// Runs of earlier programs have this one file.
constexpr const char* kOnlyFile = "checkpoint.safetensors";

std::string file_name(std::int64_t iteration) {
  return fmt::format("{}{:09}.safetensors", kPrefix, iteration);
}

// Those of single iterations, newest first.
std::vector<fs::path> checkpoints_in(const fs::path& run) {
  std::vector<fs::path> paths;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(run / kFolder, error)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(kPrefix) && name.ends_with(".safetensors")) paths.push_back(entry.path());
  }
  std::ranges::sort(paths, std::greater<>());
  return paths;
}

// Newest first.
std::vector<fs::path> usable_in(const fs::path& run) {
  std::vector<fs::path> paths = checkpoints_in(run);
  std::error_code error;
  if (paths.empty() && fs::exists(run / kOnlyFile, error)) paths.push_back(run / kOnlyFile);
  return paths;
}

// Of a file_name; none for another name.
std::optional<std::int64_t> iteration_of(const fs::path& path) {
  const std::string digits = path.stem().string().substr(std::string_view(kPrefix).size());
  std::int64_t iteration = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), iteration);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return iteration;
}

// Null if it is missing or damaged.
Json read_manifest(const fs::path& folder) {
  try {
    Json manifest = parse_json(read_file(folder / kManifest, "manifest", kMaxManifestBytes),
                               (folder / kManifest).string());
    return manifest.is_object() && manifest.value("format", "") == kFormat ? manifest : Json();
  } catch (const std::exception&) {
    return {};
  }
}

}  // namespace

CheckpointStore::CheckpointStore(const fs::path& run, std::int64_t keep)
    : folder_(run / kFolder), keep_(keep) {
  for (const fs::path& path : checkpoints_in(run)) {
    if (const auto iteration = iteration_of(path)) {
      entries_.insert(entries_.begin(), {path.filename().string(), *iteration, {}});
    }
  }
  const Json manifest = read_manifest(folder_);
  if (manifest.is_null()) return;
  try {
    for (const Json& json : manifest.at("checkpoints")) {
      const Entry listed = read_entry(json);
      const auto found = std::ranges::find(entries_, listed.file, &Entry::file);
      if (found != entries_.end()) found->return_mean = listed.return_mean;
    }
    if (manifest.at("best").is_object()) best_ = read_entry(manifest["best"]);
  } catch (const Json::exception&) {
    best_.reset();  // the next save writes it anew
  }
}

CheckpointStore::Entry CheckpointStore::read_entry(const Json& json) {
  Entry entry{json.at("file").get<std::string>(), json.at("iteration").get<std::int64_t>(), {}};
  if (json.at("return_mean").is_number()) entry.return_mean = json["return_mean"].get<double>();
  return entry;
}

void CheckpointStore::save(Trainer& trainer, std::optional<double> return_mean) {
  const std::int64_t iteration = trainer.progress().iteration;
  std::error_code ignored;  // write_file says what is wrong
  fs::create_directories(folder_, ignored);
  const TensorFile file = checkpoint_tensors(trainer);
  const Entry entry{file_name(iteration), iteration, return_mean};
  save_with_checksum(folder_ / entry.file, file);
  // A run that has been taken up at an earlier checkpoint writes later ones anew.
  std::erase_if(entries_, [&](const Entry& e) { return e.iteration >= iteration; });
  entries_.push_back(entry);
  if (return_mean && (!best_ || !best_->return_mean || *return_mean > *best_->return_mean)) {
    save_with_checksum(folder_ / kBest, file);
    best_ = Entry{kBest, iteration, return_mean};
  }
  forget_old();
  const auto kept = std::min<std::ptrdiff_t>(keep_, std::ssize(entries_));
  entries_.erase(entries_.begin(), entries_.end() - kept);
  write_manifest();
}

void CheckpointStore::forget_old() const {
  const std::vector<fs::path> paths = checkpoints_in(folder_.parent_path());
  for (std::size_t i = 0; i < paths.size(); ++i) {
    const bool known = std::ranges::any_of(
        entries_, [&](const Entry& e) { return e.file == paths[i].filename().string(); });
    std::error_code ignored;  // an old file that stays does no harm
    if (!known || static_cast<std::int64_t>(i) >= keep_) fs::remove(paths[i], ignored);
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
  if (which == WhichCheckpoint::kBest) {
    const fs::path path = run / kFolder / kBest;
    return {path, load_with_checksum(path), {}};
  }
  std::vector<std::string> damaged;
  for (const fs::path& path : usable_in(run)) {
    try {
      return {path, load_with_checksum(path), damaged};
    } catch (const UsageError& error) {
      damaged.emplace_back(error.what());
    }
  }
  if (damaged.empty()) {
    throw UsageError(
        fmt::format("\"{}\" holds no checkpoint; expected the folder of a run that has saved one",
                    run.string()));
  }
  throw UsageError(damaged.front());
}

bool has_checkpoint(const fs::path& run) { return !usable_in(run).empty(); }

}  // namespace lpdm
