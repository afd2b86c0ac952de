// `lpdm envs`: every environment with its spaces, limits and options, and what the MuJoCo in use
// makes of them.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <exception>
#include <memory>

#include "commands.h"
#include "env/mujoco_compatibility.h"
#include "lpdm/environment.h"
#include "lpdm/error.h"
#include "text_table.h"

namespace lpdm {
namespace {

const std::vector<TableColumn> kColumns = {{"ID", 22},       {"OBS", 5},    {"ACTIONS", 16},
                                           {"MAX STEPS", 9}, {"DT [s]", 6}, {"THRESHOLD", 9},
                                           {"OPTIONS", 50}};

std::string actions_cell(const ActionSpace& space) {
  if (space.discrete) return fmt::format("0 to {}", space.size - 1);
  return fmt::format("{} in [{}, {}]", space.size, space.low[0], space.high[0]);
}

std::string options_cell(const std::vector<EnvironmentOption>& options) {
  std::string cell;
  for (const EnvironmentOption& option : options) {
    if (!cell.empty()) cell += '\n';
    cell += option.name + "=";
    if (option.kind == OptionKind::kRange) {
      cell += fmt::format("[{}]", fmt::join(option.value, ", "));
    } else if (option.kind == OptionKind::kFlag) {
      cell += option.value[0] != 0 ? "true" : "false";
    } else {
      cell += fmt::format("{}", option.value[0]);
    }
  }
  return cell.empty() ? "none" : cell;
}

std::vector<std::string> row(const EnvironmentSpec& spec) {
  return {spec.id,
          fmt::to_string(spec.observation_size),
          actions_cell(spec.action),
          fmt::to_string(spec.max_episode_steps),
          fmt::format("{:g}", spec.dt),
          spec.reward_threshold ? fmt::format("{:g}", *spec.reward_threshold) : "-",
          options_cell(environment_options(spec.id))};
}

// A row for an environment whose model cannot be loaded.
std::vector<std::string> unavailable_row(const std::string& id) {
  std::vector<std::string> cells(kColumns.size(), "?");
  cells.front() = id;
  cells.back() = options_cell(environment_options(id));
  return cells;
}

// What differs from Gymnasium's v4 environments on this MuJoCo.
std::string physics_note() {
  std::string corrected;
  std::string remaining;
  for (const PhysicsDifference& difference : physics_differences(kMujocoVersion)) {
    std::string& list = difference.restored ? corrected : remaining;
    const std::string_view subject =
        difference.environment.empty() ? "all" : difference.environment;
    list += fmt::format("\n  {}: {}", subject, difference.what);
  }
  if (corrected.empty() && remaining.empty()) {
    return fmt::format("MuJoCo {}: Gymnasium's v4 results to the last bit.\n", mj_versionString());
  }
  return fmt::format("MuJoCo {}, like 2.3.7 in what is corrected:{}\nDiffers from 2.3.7 in:{}\n",
                     mj_versionString(), corrected, remaining);
}

void print_all() {
  std::vector<std::vector<std::string>> rows;
  std::exception_ptr failure;  // the same for all models as a rule: a missing folder
  for (const std::string& id : environment_ids()) {
    try {
      rows.push_back(row(make_environment(id)->spec()));
    } catch (const Error&) {
      rows.push_back(unavailable_row(id));
      if (!failure) failure = std::current_exception();
    }
  }
  fmt::print("{}\n", format_table(kColumns, rows));
  fmt::print(
      "{}:FILE is your own MuJoCo model, described by a JSON file "
      "(docs/custom-environments.md).\n",
      kMjcf);
  fmt::print("{}", physics_note());
  if (failure) std::rethrow_exception(failure);
}

void run_envs(const std::string& id) {
  if (id.empty()) {
    print_all();
  } else {
    fmt::print("{}", format_table(kColumns, {row(make_environment(id)->spec())}));
  }
}

}  // namespace

void add_envs_command(CLI::App& app) {
  const auto id = std::make_shared<std::string>();
  CLI::App* command =
      app.add_subcommand("envs", "Print every environment with its spaces, step limit and options");
  command->add_option("ID", *id, "Only this one; mjcf:FILE checks a custom environment");
  command->footer("Examples:\n  lpdm envs\n  lpdm envs mjcf:configs/environments/hopper.json");
  command->callback([id] { run_envs(*id); });
}

}  // namespace lpdm
