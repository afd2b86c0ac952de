// What came of a sweep: a table for people and sweep.json.
#pragma once

#include <map>
#include <string>

#include "io/json_text.h"
#include "sweep_plan.h"

namespace lpdm {

// Why a run failed, by its place in SweepPlan::runs.
using SweepFailures = std::map<std::size_t, std::string>;

// {"seeds", "configs": [{"name", "config", "seeds", "best_mean", "last_mean", "runs": [{"seed",
// "folder", "state", "error", "iterations", "env_steps", "best_mean_50", "last_mean_50",
// "seconds"}]}]}. Means are those of the complete runs, null where none has a value; a run has
// "best_mean_50" and what follows if it has a summary. Reads the runs' folders.
Json sweep_json(const SweepPlan& plan, const SweepFailures& failures, const std::string& out);

// One line per config of such an object.
std::string sweep_table(const Json& sweep);

}  // namespace lpdm
