#include "sweep_report.h"

#include <fmt/format.h>

#include <optional>

#include "text_table.h"

namespace lpdm {
namespace {

constexpr const char* kComplete = "complete";
constexpr const char* kBest = "best_mean_50";
constexpr const char* kLast = "last_mean_50";

const char* state_name(RunState state) {
  switch (state) {
    case RunState::kComplete:
      return kComplete;
    case RunState::kInterrupted:
      return "interrupted";
    case RunState::kMissing:
      break;
  }
  return "missing";
}

Json run_json(const SweepRun& run, const std::string* error, const std::string& out) {
  Json fields{{"seed", run.seed},
              {"folder", run.folder.lexically_relative(out).string()},
              {"state", error != nullptr ? "failed" : state_name(run.state)}};
  if (error != nullptr) fields["error"] = *error;
  const std::optional<Json> summary = read_summary(run.folder);
  if (!summary) return fields;
  for (const char* key : {"iterations", "env_steps", kBest, kLast, "seconds"}) {
    fields[key] = summary->value(key, Json(nullptr));
  }
  return fields;
}

// Of the complete runs that have a number there.
Json mean_of(const Json& runs, const char* key) {
  double sum = 0.0;
  int count = 0;
  for (const Json& run : runs) {
    if (run["state"] != kComplete || !run.contains(key) || !run[key].is_number()) continue;
    sum += run[key].get<double>();
    ++count;
  }
  return count > 0 ? Json(sum / count) : Json(nullptr);
}

int complete_runs(const Json& runs) {
  int count = 0;
  for (const Json& run : runs) count += run["state"] == kComplete ? 1 : 0;
  return count;
}

std::string number_cell(const Json& value) {
  return value.is_null() ? "-" : fmt::format("{:.1f}", value.get<double>());
}

}  // namespace

Json sweep_json(const SweepPlan& plan, const SweepFailures& failures, const std::string& out) {
  Json configs = Json::array();
  for (std::size_t c = 0; c < plan.configs.size(); ++c) {
    Json runs = Json::array();
    for (std::size_t r = 0; r < plan.runs.size(); ++r) {
      if (plan.runs[r].config != c) continue;
      const auto failure = failures.find(r);
      runs.push_back(
          run_json(plan.runs[r], failure == failures.end() ? nullptr : &failure->second, out));
    }
    configs.push_back({{"name", plan.configs[c].name},
                       {"config", plan.configs[c].path},
                       {"seeds", complete_runs(runs)},
                       {"best_mean", mean_of(runs, kBest)},
                       {"last_mean", mean_of(runs, kLast)},
                       {"runs", runs}});
  }
  return {{"seeds", plan.seeds}, {"configs", configs}};
}

std::string sweep_table(const Json& sweep) {
  constexpr std::size_t kNameWidth = 48;
  constexpr std::size_t kNumberWidth = 16;
  std::vector<std::vector<std::string>> rows;
  for (const Json& config : sweep["configs"]) {
    rows.push_back({config["name"].get<std::string>(),
                    fmt::format("{} of {}", config["seeds"].get<int>(), config["runs"].size()),
                    number_cell(config["best_mean"]), number_cell(config["last_mean"])});
  }
  return format_table({{"CONFIG", kNameWidth},
                       {"SEEDS", kNumberWidth},
                       {"MEAN OF BEST", kNumberWidth},
                       {"MEAN OF LAST", kNumberWidth}},
                      rows);
}

}  // namespace lpdm
