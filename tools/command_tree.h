// The command line as data, read off CLI11's own description, so that what is made from it (shell
// completion) cannot fall behind the program.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace lpdm {

struct CommandOption {
  std::vector<std::string> long_names;   // without dashes
  std::vector<std::string> short_names;  // likewise
  std::string description;
  bool takes_value = false;
  std::vector<std::string> choices;  // the values it can have; empty: others, or a file

  // "--seed", "-h".
  std::vector<std::string> words() const;
};

struct Command {
  std::vector<std::string> path;  // "bench", "local-loss"; empty: the program itself
  std::string description;
  std::vector<CommandOption> options;
  std::vector<std::string> choices;  // of its positional arguments; empty: files
  std::vector<Command> subcommands;

  std::string name() const { return path.empty() ? "" : path.back(); }
};

Command command_tree(const CLI::App& app);

// The program and all commands below it, each before its subcommands.
std::vector<const Command*> all_commands(const Command& program);

}  // namespace lpdm
