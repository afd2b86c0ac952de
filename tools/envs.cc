// `lpdm envs`: every environment with its spaces, limits and options.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <exception>

#include "commands.h"
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

void run_envs() {
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
  fmt::print("{}", format_table(kColumns, rows));
  if (failure) std::rethrow_exception(failure);
}

}  // namespace

void add_envs_command(CLI::App& app) {
  CLI::App* command =
      app.add_subcommand("envs", "Print every environment with its spaces, step limit and options");
  command->footer("Example:\n  lpdm envs");
  command->callback(run_envs);
}

}  // namespace lpdm
