#include "env/mujoco_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <mutex>
#include <string_view>
#include <utility>

#include "env/mujoco_compatibility.h"
#include "lpdm/error.h"

namespace lpdm {

namespace {

constexpr char kModelDirectoryVariable[] = "LPDM_MODEL_DIR";

// MuJoCo calls this where it would otherwise end the process, and it must not return to MuJoCo.
void throw_mujoco_error(const char* message) {
  throw Error(fmt::format("MuJoCo stopped: {}", message));
}

// A simulation that breaks down is not reported here: Environment::diverged tells of it.
void print_mujoco_warning(const char* message) {
  constexpr std::string_view kDiverged = "Nan, Inf or huge value in ";
  if (std::string_view(message).starts_with(kDiverged)) return;
  std::fprintf(stderr, "MuJoCo: %s\n", message);
}

// MuJoCo's handlers are global to the process: those of a program that embeds us stay. Without any,
// MuJoCo would write MUJOCO_LOG.TXT into the working folder.
void install_handlers() {
  if (mju_user_error == nullptr) mju_user_error = throw_mujoco_error;
  if (mju_user_warning == nullptr) mju_user_warning = print_mujoco_warning;
}

void check_library_version() {
  if (mj_version() != mjVERSION_HEADER) {
    throw Error(fmt::format(
        "the MuJoCo library is version {} but the program was built with the headers of {}: make "
        "them the same and build again",
        mj_version(), mjVERSION_HEADER));
  }
}

std::filesystem::path model_path(const std::string& file) {
  const std::filesystem::path directory = model_directory();
  std::error_code ignored;
  const bool directory_exists = std::filesystem::is_directory(directory, ignored);
  std::filesystem::path path = directory / file;
  if (directory_exists && std::filesystem::is_regular_file(path, ignored)) return path;
  throw UsageError(fmt::format(
      "the {} {} does not exist: run tools/bootstrap.sh, or set the environment variable {} to a "
      "folder that holds Gymnasium's {}",
      directory_exists ? "MuJoCo model file" : "folder of MuJoCo models",
      directory_exists ? path.string() : directory.string(), kModelDirectoryVariable, file));
}

std::string one_line(std::string_view text) {
  std::string line(text);
  std::ranges::replace(line, '\n', ' ');
  return line;
}

std::shared_ptr<const mjModel> parse_model(const std::string& path, Physics physics) {
  std::array<char, 1000> message{};
  std::shared_ptr<mjModel> model(
      mj_loadXML(path.c_str(), nullptr, message.data(), static_cast<int>(message.size())),
      mj_deleteModel);
  if (!model) {
    throw UsageError(
        fmt::format("MuJoCo cannot read the model file {} ({})", path, one_line(message.data())));
  }
  if (physics == Physics::kLike237) approach_mujoco_2_3_7(*model);
  return model;
}

}  // namespace

std::string model_directory() {
  const char* given = std::getenv(kModelDirectoryVariable);
  if (given != nullptr && *given != '\0') return given;
  std::error_code ignored;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", ignored);
  const std::filesystem::path beside =
      program.parent_path().parent_path() / "share" / "lpdm" / "models";
  for (const std::filesystem::path& folder : {beside, std::filesystem::path(LPDM_MODEL_DIR),
                                              std::filesystem::path(LPDM_INSTALLED_MODEL_DIR)}) {
    if (std::filesystem::is_directory(folder, ignored)) return folder.string();
  }
  return LPDM_MODEL_DIR;
}

std::shared_ptr<const mjModel> load_model(const std::string& file) {
  const std::string path = model_path(file).string();
  try {
    return load_model_file(path, Physics::kLike237);
  } catch (const UsageError& error) {
    throw UsageError(
        fmt::format("{}: run tools/bootstrap.sh, or set the environment variable {} to a folder "
                    "that holds Gymnasium's files",
                    error.what(), kModelDirectoryVariable));
  }
}

std::shared_ptr<const mjModel> load_model_file(const std::string& path, Physics physics) {
  // A cache is the one thing here that outlives a call; all it can change is how long a call takes.
  static std::mutex mutex;
  static std::map<std::pair<std::string, Physics>, std::shared_ptr<const mjModel>> models;
  const std::lock_guard lock(mutex);
  install_handlers();
  check_library_version();
  std::shared_ptr<const mjModel>& model = models[{path, physics}];
  if (!model) model = parse_model(path, physics);
  return model;
}

}  // namespace lpdm
