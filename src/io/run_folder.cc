#include "io/run_folder.h"

#include <fmt/format.h>

#include <string>
#include <system_error>
#include <utility>

#include "io/descriptor.h"
#include "io/files.h"
#include "lpdm/error.h"

namespace lpdm {
namespace {

namespace fs = std::filesystem;

// Whether a run was killed here before it had written anything; what it left is removed.
bool was_barely_begun(const fs::path& path) {
  std::error_code error;
  remove_leftovers(path);
  const auto entries = std::distance(fs::directory_iterator(path, error), {});
  const fs::path metrics = path / "metrics.jsonl";
  return entries == 1 && fs::file_size(metrics, error) == 0 && !error && fs::remove(metrics, error);
}

// Creates or checks the folder, then returns it.
fs::path prepare(fs::path path, RunFolder::Start start) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (fs::exists(status) && !fs::is_directory(status)) {
    throw UsageError(fmt::format("\"{}\" is a file, --out needs a folder", path.string()));
  }
  if (start == RunFolder::Start::kResume) {
    RunFolder::require_run(path);
    return path;
  }
  fs::create_directories(path, error);
  if (error) throw_io_error("create the folder", path, error.value());
  const bool empty = fs::is_empty(path, error) || was_barely_begun(path);
  if (error) throw_io_error("read the folder", path, error.value());
  if (!empty) {
    throw UsageError(fmt::format(
        "\"{}\" is not empty, choose another --out, or --resume the run in it", path.string()));
  }
  return path;
}

}  // namespace

RunFolder::RunFolder(fs::path path, Start start)
    : path_(prepare(std::move(path), start)),
      metrics_(path_ / "metrics.jsonl",
               start == Start::kNew ? AppendFile::Open::kNew : AppendFile::Open::kExisting) {}

void RunFolder::require_run(const fs::path& folder) {
  std::error_code error;
  if (fs::exists(folder / "config.json", error)) return;
  throw UsageError(fmt::format(
      "\"{}\" is no run folder, {}; expected a folder that lpdm train has written", folder.string(),
      fs::exists(folder, error) ? "it has no config.json" : "it does not exist"));
}

Config RunFolder::load_config(const fs::path& folder, std::span<const std::string> overrides) {
  require_run(folder);
  return lpdm::load_config(folder / "config.json", overrides);
}

std::vector<Json> RunFolder::keep_metrics(const fs::path& folder, std::int64_t iterations) {
  constexpr std::uint64_t kMaxBytes = 1ULL << 32;
  const fs::path path = folder / "metrics.jsonl";
  const std::string text = read_file(path, "metrics file", kMaxBytes);
  std::vector<Json> kept;
  std::size_t end = 0;
  while (static_cast<std::int64_t>(kept.size()) < iterations) {
    const std::size_t newline = text.find('\n', end);
    const std::string where = fmt::format("{}: line {}", path.string(), kept.size() + 1);
    if (newline == std::string::npos) {
      throw UsageError(
          fmt::format("{} is missing, the checkpoint was made at iteration {}", where, iterations));
    }
    kept.push_back(parse_json(std::string_view(text).substr(end, newline - end), where));
    end = newline + 1;
  }
  if (end < text.size()) write_file(path, std::string_view(text).substr(0, end));
  return kept;
}

void RunFolder::write_config(const Config& config) {
  write_file(path_ / "config.json", dump_config(config));
}

void RunFolder::append_metrics(const Json& metrics) { metrics_.append(metrics.dump() + "\n"); }

void RunFolder::write_summary(const Json& summary) {
  write_file(path_ / "summary.json", summary.dump(2) + "\n");
}

void RunFolder::add_provenance(const Json& entry) {
  constexpr std::uint64_t kMaxBytes = 1ULL << 24;
  const fs::path path = path_ / "provenance.json";
  Json entries = Json::array();
  std::error_code error;
  if (fs::exists(path, error)) {
    try {
      entries = parse_json(read_file(path, "provenance", kMaxBytes), path.string());
    } catch (const UsageError&) {  // damaged: what it said is lost, the run is not
    }
  }
  if (!entries.is_array()) entries = Json::array();
  entries.push_back(entry);
  write_file(path, entries.dump(2) + "\n");
}

bool may_continue(const Config& before, Config now) {
  now.run.iterations = before.run.iterations;
  now.run.device = before.run.device;
  now.run.threads = before.run.threads;
  now.run.log_every = before.run.log_every;
  now.run.checkpoint_every = before.run.checkpoint_every;
  now.run.keep_checkpoints = before.run.keep_checkpoints;
  now.run.stop_return = before.run.stop_return;
  now.run.tensorboard = before.run.tensorboard;
  return before == now;
}

}  // namespace lpdm
