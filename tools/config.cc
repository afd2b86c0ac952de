// `lpdm config`: every key of a config, and the values in force.
#include "lpdm/config.h"

#include <fmt/format.h>

#include <memory>

#include "commands.h"
#include "lpdm/memory_plan.h"
#include "text_table.h"

namespace lpdm {
namespace {

struct ConfigArguments {
  std::string path;
  std::vector<std::string> overrides;
  bool json = false;
  bool memory = false;
};

constexpr std::size_t kKeyWidth = 36;
constexpr std::size_t kValueWidth = 28;
constexpr std::size_t kMeaningWidth = 52;

std::string meaning_cell(const ConfigEntry& entry) {
  return fmt::format("{}\n{}: {}", entry.meaning, entry.type, entry.allowed);
}

void print_keys(const std::vector<ConfigEntry>& entries) {
  std::vector<std::vector<std::string>> rows;
  for (const ConfigEntry& entry : entries) {
    rows.push_back({entry.key, entry.default_value, meaning_cell(entry)});
  }
  fmt::print("{}", format_table({{"KEY", kKeyWidth},
                                 {"DEFAULT", kValueWidth},
                                 {"MEANING AND ALLOWED VALUES", kMeaningWidth}},
                                rows));
}

void print_values(const std::vector<ConfigEntry>& entries) {
  std::vector<std::vector<std::string>> rows;
  for (const ConfigEntry& entry : entries) {
    const bool differs = entry.value != entry.default_value;
    rows.push_back(
        {differs ? "*" : "", entry.key, entry.value, entry.default_value, meaning_cell(entry)});
  }
  fmt::print("{}\n* differs from the default\n",
             format_table({{"", 1},
                           {"KEY", kKeyWidth},
                           {"VALUE", kValueWidth},
                           {"DEFAULT", kValueWidth},
                           {"MEANING AND ALLOWED VALUES", kMeaningWidth}},
                          rows));
}

void print_memory(const MemoryPlan& plan) {
  std::vector<std::vector<std::string>> rows;
  for (const MemoryPart& part : plan.parts) rows.push_back({part.name, bytes_text(part.bytes)});
  rows.push_back({"total", bytes_text(plan.total())});
  fmt::print("{}\nat most, for updates of up to {} rows\n",
             format_table({{"MEMORY FOR", kKeyWidth}, {"BYTES", kValueWidth}}, rows), plan.rows);
}

void run_config(const ConfigArguments& arguments) {
  const Config config = arguments.path.empty() ? parse_config("{}", arguments.overrides)
                                               : load_config(arguments.path, arguments.overrides);
  const bool has_values = !arguments.path.empty() || !arguments.overrides.empty();
  if (arguments.json) {
    fmt::print("{}", dump_config(config));
  } else if (arguments.memory) {
    print_memory(plan_memory(config));
  } else if (has_values) {
    print_values(describe_config(config));
  } else {
    print_keys(describe_config(config));
  }
}

}  // namespace

void add_config_command(CLI::App& app) {
  const auto arguments = std::make_shared<ConfigArguments>();
  CLI::App* command = app.add_subcommand(
      "config", "Print every key of a config with its meaning, and the values in force");
  command->add_option("CONFIG", arguments->path, "Config to resolve");
  add_set_option(*command, arguments->overrides);
  command->add_flag("--json", arguments->json, "Print the resolved config as JSON");
  command->add_flag("--memory", arguments->memory,
                    "Print what a run will need at most, part by part");
  command->footer("Example:\n  lpdm config configs/cartpole-lpdm.json --set hidden.guided=true");
  command->callback([arguments] { run_config(*arguments); });
}

}  // namespace lpdm
