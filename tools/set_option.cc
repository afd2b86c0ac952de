#include "commands.h"

namespace lpdm {

void add_set_option(CLI::App& command, std::vector<std::string>& overrides) {
  // One value per --set, or else it would swallow the positional arguments after it.
  command
      .add_option("--set", overrides,
                  "Replace one value of the config, as in run.seed=3; repeatable")
      ->type_name("KEY=VALUE")
      ->expected(1)
      ->allow_extra_args(false)
      ->take_all();
}

}  // namespace lpdm
