#include "shell_scripts.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace lpdm {
namespace {

// "/bench/local-loss"; "" for the program itself.
std::string path_text(const Command& command) {
  std::string text;
  for (const std::string& name : command.path) text += "/" + name;
  return text;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
  return text;
}

// Between single quotes of a POSIX shell.
std::string quoted(const std::string& text) { return "'" + replaced(text, "'", "'\\''") + "'"; }

std::vector<std::string> option_words(const Command& command) {
  std::vector<std::string> words;
  for (const CommandOption& option : command.options) {
    for (const std::string& word : option.words()) words.push_back(word);
  }
  return words;
}

std::vector<std::string> argument_words(const Command& command) {
  std::vector<std::string> words = command.choices;
  for (const Command& below : command.subcommands) words.push_back(below.name());
  return words;
}

// "_lpdm_bench_local_loss".
std::string function_name(const Command& command) {
  return "_lpdm" + replaced(replaced(path_text(command), "/", "_"), "-", "_");
}

}  // namespace

std::string bash_completion(const Command& program) {
  std::string paths, values, words;
  for (const Command* command : all_commands(program)) {
    const std::string path = path_text(*command);
    if (!path.empty()) paths += fmt::format("      {}) path=\"$path/$word\" ;;\n", path);
    for (const CommandOption& option : command->options) {
      if (!option.takes_value) continue;
      for (const std::string& word : option.words()) {
        values +=
            fmt::format("    {}:{}) COMPREPLY=($(compgen -W {} -- \"$current\")); return ;;\n",
                        path, word, quoted(fmt::format("{}", fmt::join(option.choices, " "))));
      }
    }
    words += fmt::format("    '{}') options={} arguments={} ;;\n", path,
                         quoted(fmt::format("{}", fmt::join(option_words(*command), " "))),
                         quoted(fmt::format("{}", fmt::join(argument_words(*command), " "))));
  }
  return fmt::format(R"(# bash completion for lpdm: source <(lpdm completion bash)
_lpdm() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD - 1]}}
  local path='' options='' arguments='' word
  for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
    case "$path/$word" in
{}    esac
  done
  COMPREPLY=()
  case "$path:$previous" in
{}  esac
  case "$path" in
{}  esac
  if [[ $current == -* ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$current"))
  else
    COMPREPLY=($(compgen -W "$arguments" -- "$current"))
  fi
}}
complete -o default -F _lpdm lpdm
)",
                     paths, values, words);
}

namespace {

// What _arguments takes: '--name[description]:value:action'.
std::string zsh_options(const Command& command) {
  std::string text;
  for (const CommandOption& option : command.options) {
    std::string about = replaced(option.description, "\\", "\\\\");
    about = replaced(replaced(replaced(about, "[", "\\["), "]", "\\]"), ":", "\\:");
    std::string value;
    if (option.takes_value) {
      value = option.choices.empty() ? ":value:_files"
                                     : fmt::format(":value:({})", fmt::join(option.choices, " "));
    }
    for (const std::string& word : option.words()) {
      text += fmt::format("    {} \\\n", quoted(fmt::format("*{}[{}]{}", word, about, value)));
    }
  }
  return text;
}

std::string zsh_function(const Command& command) {
  const std::string name = function_name(command);
  if (command.subcommands.empty()) {
    const std::string argument =
        command.choices.empty() ? "*:file:_files"
                                : fmt::format("*:argument:({})", fmt::join(command.choices, " "));
    return fmt::format("{}() {{\n  _arguments \\\n{}    '{}'\n}}\n\n", name, zsh_options(command),
                       argument);
  }
  std::string described, cases;
  for (const Command& below : command.subcommands) {
    described += fmt::format("    {}\n",
                             quoted(below.name() + ":" + replaced(below.description, ":", "\\:")));
    cases += fmt::format("        {}) {} ;;\n", below.name(), function_name(below));
  }
  return fmt::format(R"({}() {{
  local context state state_descr line
  typeset -A opt_args
  local -a commands=(
{}  )
  _arguments -C \
{}    '1:command:->command' '*::argument:->argument'
  case $state in
    command) _describe command commands ;;
    argument)
      case $words[1] in
{}      esac
      ;;
  esac
}}

)",
                     name, described, zsh_options(command), cases);
}

// True where a command line of fish has come to this command.
std::string fish_condition(const Command& command) {
  if (command.path.empty()) return "__fish_use_subcommand";
  std::string condition;
  for (const std::string& name : command.path) {
    condition += (condition.empty() ? "" : "; and ") + ("__fish_seen_subcommand_from " + name);
  }
  return condition;
}

}  // namespace

std::string zsh_completion(const Command& program) {
  std::string text = "#compdef lpdm\n# zsh completion for lpdm: source <(lpdm completion zsh)\n\n";
  for (const Command* command : all_commands(program)) text += zsh_function(*command);
  return text +
         "if [[ $funcstack[1] == _lpdm ]]; then\n  _lpdm \"$@\"\nelse\n  compdef _lpdm lpdm\nfi\n";
}

std::string fish_completion(const Command& program) {
  std::string text = "# fish completion for lpdm: lpdm completion fish | source\n";
  const auto quote = [](const std::string& value) {
    return "'" + replaced(replaced(value, "\\", "\\\\"), "'", "\\'") + "'";
  };
  for (const Command* command : all_commands(program)) {
    const std::string start =
        fmt::format("complete -c lpdm -n {}", quote(fish_condition(*command)));
    for (const Command& below : command->subcommands) {
      text += fmt::format("{} -f -a {} -d {}\n", start, below.name(), quote(below.description));
    }
    for (const std::string& choice : command->choices) {
      text += fmt::format("{} -f -a {}\n", start, quote(choice));
    }
    for (const CommandOption& option : command->options) {
      text += start;
      for (const std::string& name : option.long_names) text += " -l " + name;
      for (const std::string& name : option.short_names) text += " -s " + name;
      if (option.takes_value) text += option.choices.empty() ? " -r" : " -x";
      if (!option.choices.empty()) {
        text += " -a " + quote(fmt::format("{}", fmt::join(option.choices, " ")));
      }
      text += fmt::format(" -d {}\n", quote(option.description));
    }
  }
  return text;
}

}  // namespace lpdm
