// `lpdm info`: what this program is made of and what it found on this machine.
#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>

#include "commands.h"
#include "core/build_info.h"
#include "core/cuda_library.h"
#include "env/mujoco_model.h"
#include "io/json_text.h"
#include "lpdm/thread_pool.h"

namespace lpdm {
namespace {

using Facts = std::vector<std::pair<std::string, std::string>>;

Facts collect_facts() {
  const BuildInfo build = build_info();
  return {{"version", build.version},
          {"commit", build.commit},
          {"compiler", build.compiler},
          {"build_type", build.build_type},
          {"flags", build.flags},
          {"mujoco", build.mujoco},
          {"openblas", build.openblas},
          {"simd", build.simd},
          {"hardware_threads", fmt::to_string(hardware_threads())},
          {"device_cpu", "available"},
          {"device_cuda", cuda_library().text},
          {"models", model_directory()}};
}

void run_info(bool json) {
  const Facts facts = collect_facts();
  if (json) {
    Json object = Json::object();
    for (const auto& [name, value] : facts) object[name] = value;
    fmt::print("{}\n", object.dump(2, ' ', false, Json::error_handler_t::replace));
    return;
  }
  std::size_t width = 0;
  for (const auto& [name, value] : facts) width = std::max(width, name.size());
  for (const auto& [name, value] : facts) fmt::print("{:<{}}  {}\n", name, width, value);
}

}  // namespace

void add_info_command(CLI::App& app) {
  const auto json = std::make_shared<bool>(false);
  CLI::App* command =
      app.add_subcommand("info", "Print version, libraries, SIMD target, threads and devices");
  command->add_flag("--json", *json, "Print one JSON object of strings");
  command->footer("Example:\n  lpdm info");
  command->callback([json] { run_info(*json); });
}

}  // namespace lpdm
