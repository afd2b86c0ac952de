#include "python_program.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <system_error>

#include "io/descriptor.h"
#include "lpdm/error.h"

namespace lpdm {
namespace {

namespace fs = std::filesystem;

fs::path this_program() {
  std::error_code error;
  return fs::read_symlink("/proc/self/exe", error);
}

// The folder that has the Python package lpdm_runs in it.
fs::path scripts_folder(const fs::path& program) {
  const fs::path installed = program.parent_path().parent_path() / "share/lpdm/python";
  for (const fs::path& folder : {installed, fs::path(LPDM_PYTHON_FOLDER)}) {
    std::error_code error;
    if (fs::exists(folder / "lpdm_runs" / "__main__.py", error)) return folder;
  }
  throw UsageError(fmt::format(
      "the program's Python scripts are missing, expected in {} or {}; install lpdm again",
      installed.string(), LPDM_PYTHON_FOLDER));
}

}  // namespace

void become_python(const std::string& command, const std::vector<std::string>& arguments) {
  const fs::path program = this_program();
  const char* before = std::getenv("PYTHONPATH");
  std::string path = scripts_folder(program).string();
  if (before != nullptr && *before != '\0') path.append(1, ':').append(before);
  const char* chosen = std::getenv("LPDM_PYTHON");
  const std::string python = chosen != nullptr && *chosen != '\0' ? chosen : "python3";
  setenv("PYTHONPATH", path.c_str(), 1);
  setenv("LPDM_PROGRAM", program.c_str(), 1);

  std::vector<std::string> words{python, "-B", "-m", "lpdm_runs", command};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  std::cout.flush();
  std::fflush(nullptr);
  execvp(python.c_str(), pointers.data());
  throw UsageError(
      fmt::format("cannot start {} ({}), which {} needs; install python3-matplotlib, or set "
                  "LPDM_PYTHON to a Python with numpy and matplotlib",
                  python, system_message(errno), command));
}

}  // namespace lpdm
