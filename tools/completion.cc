// `lpdm completion`: a script that completes this program's command line in a shell.
#include <fmt/format.h>

#include <memory>

#include "command_tree.h"
#include "commands.h"
#include "shell_scripts.h"

namespace lpdm {

void add_completion_command(CLI::App& app) {
  const auto shell = std::make_shared<std::string>();
  CLI::App* command =
      app.add_subcommand("completion", "Print a script that completes command lines in a shell");
  command->add_option("SHELL", *shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  command->footer(
      "Examples:\n"
      "  source <(lpdm completion bash)\n"
      "  lpdm completion fish > ~/.config/fish/completions/lpdm.fish");
  command->callback([&app, shell] {
    const Command program = command_tree(app);
    const std::string script = *shell == "bash"  ? bash_completion(program)
                               : *shell == "zsh" ? zsh_completion(program)
                                                 : fish_completion(program);
    fmt::print("{}", script);
  });
}

}  // namespace lpdm
