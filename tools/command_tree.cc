#include "command_tree.h"

#include <utility>

namespace lpdm {
namespace {

// CLI11 tells the members of a set as "TEXT:{a,b}" only.
std::vector<std::string> choices_of(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const std::size_t open = type.find('{');
  const std::size_t close = type.find('}', open == std::string::npos ? 0 : open);
  if (open == std::string::npos || close == std::string::npos) return {};
  std::vector<std::string> choices;
  std::string choice;
  for (const char letter : type.substr(open + 1, close - open - 1) + ",") {
    if (letter != ',') {
      choice += letter;
    } else {
      choices.push_back(std::exchange(choice, ""));
    }
  }
  return choices;
}

Command read(const CLI::App& app, std::vector<std::string> path) {
  Command command;
  command.path = std::move(path);
  command.description = app.get_description();
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_positional()) {
      command.choices = choices_of(*option);
      continue;
    }
    const bool takes_value = option->get_items_expected_max() > 0;
    command.options.push_back(
        {.long_names = option->get_lnames(),
         .short_names = option->get_snames(),
         .description = option->get_description(),
         .takes_value = takes_value,
         .choices = takes_value ? choices_of(*option) : std::vector<std::string>()});
  }
  for (const CLI::App* subcommand : app.get_subcommands({})) {
    std::vector<std::string> below = command.path;
    below.push_back(subcommand->get_name());
    command.subcommands.push_back(read(*subcommand, std::move(below)));
  }
  return command;
}

void collect(const Command& command, std::vector<const Command*>& all) {
  all.push_back(&command);
  for (const Command& below : command.subcommands) collect(below, all);
}

}  // namespace

std::vector<std::string> CommandOption::words() const {
  std::vector<std::string> words;
  for (const std::string& name : long_names) words.push_back("--" + name);
  for (const std::string& name : short_names) words.push_back("-" + name);
  return words;
}

Command command_tree(const CLI::App& app) { return read(app, {}); }

std::vector<const Command*> all_commands(const Command& program) {
  std::vector<const Command*> all;
  collect(program, all);
  return all;
}

}  // namespace lpdm
